#include "services/ingest/service/core.h"

namespace liveops::ingest {

Core::Done Core::Heard(const rpc::Peer& peer, Protocol protocol, std::size_t bytes, Done done) {
  return Heard(peer, ProtocolWord(protocol), bytes, std::move(done));
}

Core::Done Core::Heard(const rpc::Peer& peer, const char* way, std::size_t bytes, Done done) {
  ++requests_;
  return emitters_.Follow({peer.name, "", way}, bytes, std::chrono::steady_clock::now(),
                          std::move(done));
}

void Core::WriteOwn(const WriteInput& request, SteadyTime steady, Done done) {
  const auto now = clock_.Now(steady);
  if (!open_ || !now || !spreads_.Fresh(steady))
    return done(UnavailableError("this ingest does not know the brokers' time, or the plans"));
  const admit::BatchInput& batch = request.batch;
  Census::Sight census = census_.Of(batch.service, *now);
  Result<admit::Admission> admission = admit::Admit(batch, settings_.limits, *now, map(), &census);
  if (!admission) return done(admission.error());
  Count(admission->rejections);
  Tell(batch.service, admission->rejected_points());
  WriteAnswer answer{admission->batch.points(), std::move(admission->rejections), {}, 0};
  if (answer.accepted_points == 0) return done(answer);
  std::vector<Outgoing> records;
  Lay(request.source, batch.service, Protocol::kNative, admission->batch, records);
  Send(std::move(records), 0, TraceHeader(""), std::move(answer), std::move(done));
}

bool Core::Offer(const rpc::Peer& peer, Exemplar exemplar, SteadyTime now) {
  const std::optional<RealTime> real = clock_.Now(now);
  if (!real || !Allowed(peer, exemplar.service)) return false;
  // One that lies far ahead would pass for the newest until then.
  const RealTime time = RealFromMs(exemplar.time_ms);
  if (time > *real + settings_.limits.future || time < *real - settings_.limits.past) return false;
  exemplars_.Offer(std::move(exemplar), now);
  return true;
}

void Core::Export(std::string_view request, const rpc::Peer& peer, std::string_view traceparent,
                  Done done) {
  done = Heard(peer, Protocol::kOtlp, request.size(), std::move(done));
  const Result<OtlpBatches> read = ReadOtlp(request, settings_.record_bytes_max);
  if (!read) return done(read.error());
  no_value_points_ += read->no_value;
  const SteadyTime now = std::chrono::steady_clock::now();
  for (const Exemplar& exemplar : read->exemplars) Offer(peer, exemplar, now);
  Offered(now);
  std::vector<ServicePoints> points;
  for (const OtlpBatch& batch : read->batches) points.push_back({batch.service, batch.input()});
  const std::vector<std::pair<std::string, std::uint64_t>> refused(read->refused.begin(),
                                                                   read->refused.end());
  Take({Protocol::kOtlp, points, read->rejections, refused, request.size()}, peer, traceparent,
       std::move(done));
}

void Core::Take(MixedInput request, const rpc::Peer& peer, std::string_view traceparent,
                Done done) {
  for (const auto& [service, points] : request.refused) {
    if (Allowed(peer, service)) Tell(service, points);
  }
  const auto refuse = [&](const Error& why) {
    for (const ServicePoints& one : request.points) {
      if (Allowed(peer, one.service)) Refuse(one.service, one.points(), why);
    }
    done(why);
  };
  if (const Result<RealTime> open = Gate(request.bytes); !open) return refuse(open.error());
  std::uint64_t points = 0;
  for (const ServicePoints& one : request.points) points += one.points();
  const EmitterName emitter{peer.name, "",
                            request.way == nullptr ? ProtocolWord(request.protocol) : request.way};
  if (const Status s = TakeFromRate(emitter, points, request.bytes); !s) return refuse(s.error());

  admit::Admission all;
  all.rejections = std::move(request.rejections);
  WriteAnswer answer;
  std::vector<Outgoing> records;
  wire::Source source = request.source;
  if (source.sequence == 0) source = {peer.name, 0, 0};
  for (const ServicePoints& one : request.points) {
    const wire::Source of_record = source;
    if (source.sequence > 0) ++source.sequence;
    if (const Status may = MayWrite(peer, one.service, one.points()); !may) {
      all.Reject(admit::Refusal::kForeign, one.points(), may.error().message);
      continue;
    }
    const Result<admit::Admission> admission =
        Judge(peer.name + '\n' + std::string(one.service), one.batch, one.series, request.past);
    if (!admission && admission.error().code == ErrorCode::kUnavailable) {
      return refuse(admission.error());  // nothing of it is on its way yet
    }
    if (!admission) {
      all.Reject(admit::Refusal::kBadService, one.points(), admission.error().message);
      Tell(one.service, one.points());
      continue;
    }
    CountNewcomers(one.service, admission->rejections);
    for (const admit::Rejection& r : admission->rejections)
      all.Reject(r.reason, r.points, r.example);
    Tell(one.service, admission->rejected_points());
    if (admission->batch.points() == 0) continue;
    answer.accepted_points += admission->batch.points();
    answer.accepted_histograms += admission->batch.histograms.size();
    answer.services.emplace_back(one.service);
    Lay(of_record, one.service, request.protocol, admission->batch, records);
  }
  Count(all.rejections);
  answer.rejections = std::move(all.rejections);
  if (records.empty()) return done(answer);
  Send(std::move(records), request.bytes, TraceHeader(traceparent), std::move(answer),
       std::move(done));
}

}  // namespace liveops::ingest
