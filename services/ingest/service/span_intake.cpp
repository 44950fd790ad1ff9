#include "services/ingest/service/span_intake.h"

#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace liveops::ingest {

SpanIntake::SpanIntake(Core& core) : core_(core), emitter_(core.settings().instance + "/spans") {}

void SpanIntake::Export(std::string_view request, const rpc::Peer& peer,
                        std::string_view traceparent, Core::Done done) {
  done = core_.Heard(peer, Protocol::kOtlp, request.size(), std::move(done));
  const Result<OtlpSpans> read = ReadOtlpSpans(request, core_.settings().record_bytes_max);
  if (!read) return done(read.error());
  const OtlpBatches& batches = read->batches;
  const SteadyTime now = std::chrono::steady_clock::now();
  const std::array<std::string_view, 2> identity = {peer.name, request};
  const Fingerprint key = FingerprintOf(identity);
  const ExportBook::Sent sent = book_.Begin(key, batches.batches.size(), now);
  if (sent.state == ExportBook::Sent::State::kUnderWay)
    return done(UnavailableError("this export came before, and Kafka has not acknowledged it yet"));
  if (sent.state == ExportBook::Sent::State::kTaken) {
    ++repeats_;
    return done(WriteAnswer{0, sent.rejections, {}, 0});
  }
  others_ += read->others;
  for (const CountedSpan& span : read->spans) {
    if (!Core::Allowed(peer, span.service)) continue;
    slowest_.Offer(span, now);
    core_.Offer(peer,
                {span.service, std::string(kSpanMetric), "ms", span.labels, span.end_ms,
                 span.duration_ms, span.trace_id, span.span_id},
                now);
  }
  core_.Offered(now);
  std::vector<ServicePoints> points;
  for (const OtlpBatch& batch : batches.batches) points.push_back({batch.service, batch.input()});
  const std::vector<std::pair<std::string, std::uint64_t>> refused(batches.refused.begin(),
                                                                   batches.refused.end());
  MixedInput input{Protocol::kOtlp, points, batches.rejections, refused, request.size()};
  input.source = {emitter_, core_.settings().session, sent.first};
  core_.Take(std::move(input), peer, traceparent,
             [this, key, done = std::move(done)](const Result<WriteAnswer>& result) {
               book_.End(key, result);
               done(result);
             });
}

void SpanIntake::AddMetrics(metrics::List& list) const {
  list.Counter("ingest_otlp_spans_of_other_kinds_total",
               "Spans that are of no kind that counts as a request.", static_cast<double>(others_),
               "otlp_spans_of_other_kinds");
  list.Counter("ingest_otlp_span_exports_repeated_total",
               "Exports of spans that came again after they were taken.",
               static_cast<double>(repeats_), "otlp_span_exports_repeated");
}

std::map<std::string, double> SpanIntake::Counters() const {
  metrics::List list;
  AddMetrics(list);
  return list.ForStatus();
}

}  // namespace liveops::ingest
