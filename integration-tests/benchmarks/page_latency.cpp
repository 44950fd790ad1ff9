#include "integration-tests/benchmarks/page_latency.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <map>
#include <thread>

#include "common/base/labels.h"
#include "integration-tests/benchmarks/report.h"
#include "liveops/v1/ingest.grpc.pb.h"

namespace liveops::bench {
namespace {

constexpr const char* kPlan = R"(service: flipper
phase: 1
owners:
  on-call: {title: On-call Engineer, slack: "#oncall"}
alarms:
  - name: flip
    when: "last(flip) by flip > 0.5"
    severity: critical
    owner: on-call
)";

std::string Token(int i) { return fmt::format("flip-{:04}", i); }

v1::WriteRequest Flip(int i, std::uint64_t sequence, double value) {
  v1::WriteRequest request;
  request.mutable_source()->set_emitter("bench");
  request.mutable_source()->set_session(1);
  request.mutable_source()->set_sequence(sequence);
  v1::MetricBatch& batch = *request.mutable_batch();
  batch.set_service("flipper");
  batch.add_strings("flip");
  batch.add_strings("1");
  v1::SeriesEntry& series = *batch.add_series();
  series.set_kind(v1::SERIES_KIND_GAUGE);
  series.set_metric(0);
  series.set_unit(1);
  series.set_labels(Labels(Labels::Pairs{{"flip", Token(i)}}).Encode());
  batch.set_base_time_ms(ToMs(WallClockNow()));
  batch.add_point_series(0);
  batch.add_point_time_delta_ms(0);
  batch.add_point_value(value);
  return request;
}

// Applies the plan and waits until the evaluator has it in force: a first alarm of its own must
// have fired.
Status Prepare(stack::Stack& stack, v1::Ingest::Stub& ingest) {
  const std::string plan = stack.Path("flipper.yaml");
  if (Status s = stack::WriteFile(plan, kPlan); !s.ok()) return s;
  auto applied = stack.Ctl("operator-1", {"plan", "apply", plan});
  if (!applied.ok()) return applied.error();
  if (!applied->status.clean())
    return InternalError("the plan was not applied: " + applied->err + applied->out);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (std::uint64_t sequence = 1; std::chrono::steady_clock::now() < deadline; ++sequence) {
    grpc::ClientContext context;
    v1::WriteResponse response;
    const grpc::Status status = ingest.Write(&context, Flip(9999, sequence, 1), &response);
    if (!status.ok() && status.error_code() != grpc::StatusCode::UNAVAILABLE) {
      return InternalError("the first sample was refused: " + status.error_message());
    }
    std::this_thread::sleep_for(Duration(100));
    auto ledger = stack.sink().Ledger();
    if (!ledger.ok()) return ledger.error();
    if (!ledger->empty()) return {};
  }
  return TimeoutError("the plan did not come into force in 20 s");
}

}  // namespace

Result<Latency> MeasurePageLatency(stack::Stack& stack, const LatencyOptions& options) {
  auto channel = grpc::CreateChannel(stack.service(stack::Service::kIngest).plain_address(),
                                     grpc::InsecureChannelCredentials());
  const auto ingest = v1::Ingest::NewStub(channel);
  if (Status s = Prepare(stack, *ingest); !s.ok()) return s.error();

  std::map<std::string, std::int64_t> written_ns;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < options.alarms; ++i) {
    std::this_thread::sleep_until(begin +
                                  std::chrono::microseconds(1'000'000LL * i / options.per_second));
    const v1::WriteRequest request = Flip(i, 100'000 + static_cast<std::uint64_t>(i), 1);
    grpc::ClientContext context;
    v1::WriteResponse response;
    written_ns[Token(i)] = std::chrono::duration_cast<std::chrono::nanoseconds>(
                               std::chrono::steady_clock::now().time_since_epoch())
                               .count();
    const grpc::Status status = ingest->Write(&context, request, &response);
    if (!status.ok()) return InternalError(fmt::format("write {}: {}", i, status.error_message()));
  }

  std::map<std::string, std::int64_t> read_ns;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (read_ns.size() < written_ns.size() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(Duration(200));
    auto ledger = stack.sink().Ledger();
    if (!ledger.ok()) return ledger.error();
    std::map<std::string, int> seen;
    for (const stack::LedgerEntry& entry : *ledger) {
      const std::size_t at = entry.body.find("flip-");
      if (at == std::string::npos) continue;
      const std::string token = entry.body.substr(at, 9);
      if (!entry.violations.empty())
        return InternalError("a page broke Slack's contract: " + entry.violations.front());
      if (!written_ns.contains(token)) continue;
      if (++seen[token] > 1) return InternalError("two pages for " + token);
      read_ns[token] = entry.received_steady_ns;
    }
  }
  std::vector<double> samples;
  for (int i = 0; i < options.alarms; ++i) {
    const auto read = read_ns.find(Token(i));
    if (read == read_ns.end())
      return InternalError(fmt::format("no page for {} within 10 s", Token(i)));
    if (i >= options.discarded)
      samples.push_back(static_cast<double>(read->second - written_ns[Token(i)]) / 1e6);
  }
  return Latency{Percentile(samples, 0.5), Percentile(samples, 0.99), Percentile(samples, 1.0)};
}

}  // namespace liveops::bench
