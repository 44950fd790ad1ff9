#include <fmt/format.h>

#include <map>

#include "common/base/labels.h"
#include "services/liveopsctl/render/table.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {
namespace {

v1::SeriesKind KindOf(SampleKind kind) {
  switch (kind) {
    case SampleKind::kGauge:
      return v1::SERIES_KIND_GAUGE;
    case SampleKind::kDelta:
      return v1::SERIES_KIND_COUNTER_DELTA;
    case SampleKind::kObservation:
      return v1::SERIES_KIND_OBSERVATION;
  }
  return v1::SERIES_KIND_UNSPECIFIED;
}

// One series for each metric, one point for each sample, all at `time_unix_ms`.
v1::MetricBatch MakeBatch(const Send& command, std::int64_t time_unix_ms) {
  v1::MetricBatch batch;
  batch.set_service(command.service);
  batch.set_protocol(v1::PROTOCOL_NATIVE);
  batch.set_base_time_ms(time_unix_ms);
  batch.add_strings(command.unit);  // index 0
  const std::string labels = Labels(command.labels).Encode();
  std::map<std::string, std::uint32_t> series;
  for (const Sample& sample : command.samples) {
    const auto [at, is_new] =
        series.emplace(sample.metric, static_cast<std::uint32_t>(batch.series_size()));
    if (is_new) {
      v1::SeriesEntry* entry = batch.add_series();
      entry->set_kind(KindOf(command.kind));
      entry->set_metric(static_cast<std::uint32_t>(batch.strings_size()));
      entry->set_unit(0);
      entry->set_labels(labels);
      batch.add_strings(sample.metric);
    }
    batch.add_point_series(at->second);
    batch.add_point_time_delta_ms(0);
    // An increase belongs to the time since the sending before; alone, its start is not known.
    if (command.kind == SampleKind::kDelta) {
      batch.add_point_duration_ms(static_cast<std::uint64_t>(command.every.count()));
    }
    batch.add_point_value(sample.value);
  }
  return batch;
}

// What all sendings together came to.
struct Totals {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::map<std::string, v1::Rejection> rejections;  // by reason

  void Add(const v1::WriteResponse& response) {
    accepted += response.accepted_points();
    for (const v1::Rejection& r : response.rejections()) {
      rejected += r.points();
      v1::Rejection& sum = rejections[r.reason()];
      sum.set_reason(r.reason());
      sum.set_points(sum.points() + r.points());
      if (sum.example().empty()) sum.set_example(r.example());
    }
  }
};

int Conclude(Session& session, const Totals& totals, std::uint64_t sendings) {
  v1::WriteStreamResponse sum;
  sum.set_accepted_points(totals.accepted);
  sum.set_batches(sendings);
  std::string text =
      fmt::format("{} sample{} accepted\n", totals.accepted, totals.accepted == 1 ? "" : "s");
  for (const auto& [reason, rejection] : totals.rejections) {
    *sum.add_rejections() = rejection;
    text +=
        fmt::format("{} refused: {}{}{}\n", rejection.points(), Printable(reason),
                    rejection.example().empty() ? "" : ", e.g. ", Printable(rejection.example()));
  }
  session.Answer(sum, text);
  return totals.rejected > 0 ? kExitNo : kExitOk;
}

}  // namespace

int RunSend(Session& session, const Send& command) {
  const bool repeats = command.every.count() > 0;
  // Before the first connection: its threads must not get the signals.
  std::unique_ptr<Interrupt> interrupt;
  if (repeats) interrupt = session.world().interrupts();
  Backend* backend = session.Open(Server::kIngest);
  if (backend == nullptr) return kExitUsage;
  v1::WriteRequest request;
  request.mutable_source()->set_emitter("liveopsctl-" + session.world().host);
  request.mutable_source()->set_session(session.world().session);
  Totals totals;
  const std::uint64_t sendings = repeats ? command.count : 1;
  std::uint64_t sent = 0;
  while (true) {
    const std::int64_t time =
        command.time_unix_ms ? *command.time_unix_ms : ToMs(session.world().now());
    *request.mutable_batch() = MakeBatch(command, time);
    request.mutable_source()->set_sequence(++sent);
    const Result<v1::WriteResponse> response = backend->Write(request);
    if (!response.ok()) return session.Fail(response.error());
    totals.Add(*response);
    if (sendings != 0 && sent >= sendings) break;
    if (interrupt->WaitFor(command.every)) break;
  }
  return Conclude(session, totals, sent);
}

int RunDeploymentsReport(Session& session, const DeploymentsReport& command) {
  Backend* backend = session.Open(Server::kIngest);
  if (backend == nullptr) return kExitUsage;
  v1::ReportDeploymentRequest request;
  request.set_service(command.service);
  request.set_revision(command.revision);
  request.set_description(command.description);
  const Result<v1::ReportDeploymentResponse> response = backend->ReportDeployment(request);
  if (!response.ok()) return session.Fail(response.error());
  return session.Answer(
      *response, fmt::format("recorded: {} runs revision {} ({})\n", Printable(command.service),
                             Printable(command.revision), Printable(command.description)));
}

int RunDecommission(Session& session, const Decommission& command) {
  Backend* backend = session.Open(Server::kIngest);
  if (backend == nullptr) return kExitUsage;
  v1::DecommissionRequest request;
  request.set_service(command.service);
  request.set_reason(command.reason);
  std::string what;
  for (const auto& [name, value] : command.labels) {
    v1::Label* label = request.add_labels();
    label->set_name(name);
    label->set_value(value);
    what += (what.empty() ? "" : ", ") + name + "=" + value;
  }
  const Result<v1::DecommissionResponse> response = backend->Decommission(request);
  if (!response.ok()) return session.Fail(response.error());
  return session.Answer(*response,
                        fmt::format("recorded: of {}, {} has stopped for good; what it sends from "
                                    "now on brings it back\n",
                                    Printable(command.service), Printable(what)));
}

}  // namespace liveops::ctl
