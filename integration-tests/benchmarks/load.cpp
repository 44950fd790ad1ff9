#include "integration-tests/benchmarks/load.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>

#include "common/base/labels.h"
#include "common/rpc/server.h"
#include "integration-tests/benchmarks/load_carrier.h"
#include "liveops/v1/plans.grpc.pb.h"

namespace liveops::bench {
namespace {

constexpr int kInstances = 5;
constexpr int kAppliers = 32;
constexpr const char* kCodes[] = {"200", "201", "301", "404", "500", "503"};
constexpr const char* kBounds[] = {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
                                   "0.5",   "1",    "2.5",   "5",    "10",  "+Inf"};
// Of 100 requests in a period and an instance: how many have each code, and how many last no longer
// than each bound.
constexpr int kHealthyCodes[] = {90, 5, 2, 2, 1, 0};
constexpr int kUnhealthyCodes[] = {70, 5, 2, 2, 20, 1};
constexpr int kDurations[] = {5, 10, 30, 60, 85, 95, 98, 99, 100, 100, 100, 100};

class Batch {
 public:
  explicit Batch(v1::MetricBatch& batch) : batch_(batch) {}

  void Add(const std::string& metric, const char* unit, v1::SeriesKind kind, const Labels& labels) {
    v1::SeriesEntry& series = *batch_.add_series();
    series.set_kind(kind);
    series.set_metric(Word(metric));
    series.set_unit(Word(unit));
    series.set_labels(labels.Encode());
    batch_.add_point_series(static_cast<std::uint32_t>(batch_.series_size()) - 1);
    batch_.add_point_time_delta_ms(0);
    batch_.add_point_value(0);
  }

 private:
  std::uint32_t Word(const std::string& word) {
    const auto& words = batch_.strings();
    const auto at = std::find(words.begin(), words.end(), word) - words.begin();
    if (at == words.size()) batch_.add_strings(word);
    return static_cast<std::uint32_t>(at);
  }

  v1::MetricBatch& batch_;
};

v1::WriteRequest RequestOf(int service) {
  v1::WriteRequest request;
  request.mutable_source()->set_emitter("load");
  request.mutable_source()->set_session(1);
  request.mutable_batch()->set_service(ServiceName(service));
  Batch batch(*request.mutable_batch());
  for (int i = 0; i < kInstances; ++i) {
    Labels labels(Labels::Pairs{{"service", ServiceName(service)},
                                {"instance", fmt::format("10.0.{}.{}:8080", service % 250, i)},
                                {"region", "eu-west-1"},
                                {"env", "prod"}});
    const auto with = [&](const char* name, const char* value) {
      Labels more = labels;
      more.Set(name, value);
      return more;
    };
    for (const char* code : kCodes) {
      batch.Add("http_requests_total", "1", v1::SERIES_KIND_COUNTER_CUMULATIVE, with("code", code));
    }
    for (const char* bound : kBounds) {
      batch.Add("http_request_duration_seconds_bucket", "1", v1::SERIES_KIND_COUNTER_CUMULATIVE,
                with("le", bound));
    }
    batch.Add("cpu", "1", v1::SERIES_KIND_GAUGE, labels);
    batch.Add("memory", "1", v1::SERIES_KIND_GAUGE, labels);
  }
  return request;
}

// The counters go on by a period's requests.
void Advance(int service, v1::MetricBatch& batch, std::int64_t now_ms) {
  batch.set_base_time_ms(now_ms);
  const int* codes = service == 0 ? kUnhealthyCodes : kHealthyCodes;
  int at = 0;
  for (int i = 0; i < kInstances; ++i) {
    for (int c = 0; c < 6; ++c, ++at) batch.set_point_value(at, batch.point_value(at) + codes[c]);
    for (int b = 0; b < 12; ++b, ++at) {
      batch.set_point_value(at, batch.point_value(at) + kDurations[b]);
    }
    batch.set_point_value(at++, 40 + (now_ms / 1000 + i) % 20);
    batch.set_point_value(at++, 60);
  }
}

}  // namespace

stack::StackOptions Unthrottled(const std::string& dir) {
  stack::StackOptions options;
  options.data_dir = dir;
  options.slack_messages_per_second = 0;
  options.pagerduty_events_per_minute = 0;
  return options;
}

std::string ServiceName(int service) { return fmt::format("svc-{}", service); }

std::string PlanOfService(int service) {
  const char* when[] = {"5xx over 3min > 5%", "5xx over 3min > 5%",
                        "p95(http_request_duration_seconds) over 5min > 0.8s",
                        "p95(http_request_duration_seconds) over 5min > 0.8s",
                        "avg(cpu) by instance > 90 for 5min"};
  return fmt::format(R"(service: {0}
owners:
  on-call: {{title: On-call Engineer, slack: "#oncall"}}
metrics:
  5xx: {{ratio: ['http_requests_total{{code="500"}}', http_requests_total]}}
alarms:
  - {{name: rule-{0}, when: '{1}', severity: critical, owner: on-call}}
)",
                     ServiceName(service), when[service % 5]);
}

namespace {

Status ApplyPlan(v1::Plans::Stub& plans, int service) {
  v1::ApplyPlanRequest request;
  request.set_text(PlanOfService(service));
  request.set_file(ServiceName(service) + ".yaml");
  v1::ApplyPlanResponse response;
  grpc::ClientContext context;
  const grpc::Status status = plans.ApplyPlan(&context, request, &response);
  const std::string whose = "plan of " + ServiceName(service) + ": ";
  if (!status.ok()) return InternalError(whose + status.error_message());
  if (response.problems_size() > 0) return InternalError(whose + response.problems(0).message());
  return {};
}

}  // namespace

Status ApplyPlans(stack::Stack& stack, const LoadOptions& options) {
  const stack::Identity& person = stack.person("operator-1");
  const auto plans =
      v1::Plans::NewStub(rpc::Connect(stack.service(stack::Service::kRuleEvaluation).address(),
                                      {stack.authority().ca_file(), person.cert, person.key}));
  // An answer waits until the plan was read back: many wait at once.
  std::vector<Status> outcomes(kAppliers);
  std::vector<std::thread> appliers;
  for (int k = 0; k < kAppliers; ++k) {
    appliers.emplace_back([&, k] {
      Status& outcome = outcomes[static_cast<std::size_t>(k)];
      for (int i = k; i < options.services && outcome.ok(); i += kAppliers) {
        outcome = ApplyPlan(*plans, i);
      }
    });
  }
  for (std::thread& applier : appliers) applier.join();
  for (const Status& outcome : outcomes) {
    if (!outcome.ok()) return outcome;
  }
  return {};
}

Status CheckPages(stack::Stack& stack) {
  auto ledger = stack.sink().Ledger();
  if (!ledger.ok()) return ledger.error();
  bool unhealthy = false;
  for (const stack::LedgerEntry& entry : *ledger) {
    if (entry.body.find("flip") != std::string::npos) continue;
    if (entry.body.find("rule-svc-0\"") != std::string::npos ||
        entry.body.find("rule-svc-0 ") != std::string::npos ||
        entry.body.find("rule-svc-0*") != std::string::npos) {
      unhealthy = true;
    } else {
      return InternalError("an alarm fired that should not: " + entry.body.substr(0, 300));
    }
  }
  if (!unhealthy) return InternalError("the unhealthy service's alarm did not fire");
  return {};
}

LoadSender::LoadSender(stack::Stack& stack, const LoadOptions& options) : options_(options) {
  for (int i = 0; i < options.services; ++i) requests_.push_back(RequestOf(i));
  auto carrier = options.into_the_log ? CarryIntoTheLog(stack, requests_)
                                      : CarryThroughIngest(stack.plain_ingest());
  if (!carrier.ok()) {
    outcome_ = carrier.error();
    return;
  }
  carrier_ = *std::move(carrier);
  thread_ = std::thread(&LoadSender::Run, this);
}

LoadSender::~LoadSender() { (void)Stop(); }

Status LoadSender::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

void LoadSender::Run() {
  const auto begin = std::chrono::steady_clock::now();
  const auto step = std::chrono::nanoseconds(options_.period) / options_.services;
  std::chrono::steady_clock::duration behind{};
  bool broken = false;
  for (std::uint64_t n = 0; !stop_ && !broken; ++n) {
    const auto due = begin + step * static_cast<std::int64_t>(n);
    std::this_thread::sleep_until(due);
    behind = std::max(behind, std::chrono::steady_clock::now() - due);
    const auto service =
        static_cast<std::size_t>(n % static_cast<std::uint64_t>(options_.services));
    v1::WriteRequest& request = requests_[service];
    request.mutable_source()->set_sequence(n + 1);
    Advance(static_cast<int>(service), *request.mutable_batch(), ToMs(WallClockNow()));
    broken = !carrier_->Send(request);
    sent_ += static_cast<std::uint64_t>(request.batch().point_value_size());
  }
  outcome_ = carrier_->Finish(sent_);
  if (outcome_.ok() && behind > options_.period) {
    outcome_ = InternalError(fmt::format("the load fell behind by {:.1f} s, more than a period",
                                         std::chrono::duration<double>(behind).count()));
  }
}

}  // namespace liveops::bench
