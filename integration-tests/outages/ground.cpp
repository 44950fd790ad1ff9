#include "integration-tests/outages/ground.h"

#include <fmt/format.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/base/text.h"
#include "common/kafka/kafka.h"
#include "common/runtime/process.h"
#include "common/runtime/topics.h"
#include "liveops/v1/ingest.grpc.pb.h"

namespace liveops::outages {
namespace {

constexpr Duration kBetweenWrites{100};
// Well beyond the time in which a service promises to refuse: an answer is the service's own.
constexpr std::chrono::seconds kDeadline{10};
constexpr Duration kListedWithin{30'000};
constexpr Duration kListAnswersWithin{15'000};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

v1::WriteRequest Reading(const std::string& service, const std::string& host, double value,
                         bool observed) {
  v1::WriteRequest request;
  request.mutable_source()->set_emitter("outages-" + host);
  v1::MetricBatch& batch = *request.mutable_batch();
  batch.set_service(service);
  batch.set_protocol(v1::PROTOCOL_NATIVE);
  batch.set_base_time_ms(ToMs(WallClockNow()));
  batch.add_strings("x");
  batch.add_strings(observed ? "ms" : "");
  v1::SeriesEntry* series = batch.add_series();
  series->set_kind(observed ? v1::SERIES_KIND_OBSERVATION : v1::SERIES_KIND_GAUGE);
  series->set_metric(0);
  series->set_unit(1);
  series->set_labels(Labels({{"host", host}}).Encode());
  batch.add_point_series(0);
  batch.add_point_time_delta_ms(0);
  batch.add_point_value(value);
  return request;
}

}  // namespace

bool Await(Duration timeout, const std::function<bool()>& reached) {
  const SteadyTime deadline = Now() + timeout;
  while (true) {
    if (reached()) return true;
    if (Now() > deadline) return false;
    std::this_thread::sleep_for(Duration(50));
  }
}

int SinceMs(SteadyTime begin) {
  const auto passed = std::chrono::steady_clock::now() - begin;
  return static_cast<int>(std::chrono::duration_cast<Duration>(passed).count());
}

std::string FolderOf(const std::string& name) {
  return std::filesystem::temp_directory_path() /
         fmt::format("liveops-outages-{}-{}", name, getpid());
}

// --- the emitter ---------------------------------------------------------------------------------

Emitter::Emitter(const std::string& address, std::string service, std::string host, double value,
                 bool observes)
    : service_(std::move(service)),
      host_(std::move(host)),
      observes_(observes),
      session_(runtime::NewSession()),
      value_(value),
      thread_([this, address] { Loop(address); }) {}

Emitter::~Emitter() { Stop(); }

void Emitter::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

std::vector<Heard> Emitter::heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

void Emitter::Loop(const std::string& address) {
  const auto stub = v1::Ingest::NewStub(rpc::Connect(address, {}));
  for (std::uint64_t sequence = 1; !stop_; ++sequence) {
    v1::WriteRequest request = Reading(service_, host_, value_, observes_);
    request.mutable_source()->set_session(session_);
    request.mutable_source()->set_sequence(sequence);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    v1::WriteResponse response;
    Heard heard;
    heard.sequence = sequence;
    heard.sent = Now();
    const grpc::Status status = stub->Write(&context, request, &response);
    heard.took = std::chrono::duration_cast<Duration>(Now() - heard.sent);
    heard.code = status.error_code();
    heard.message = status.error_message();
    heard.retry_info = status.error_details().find("type.googleapis.com/google.rpc.RetryInfo") !=
                       std::string::npos;
    {
      const std::lock_guard lock(mutex_);
      heard_.push_back(heard);
    }
    std::this_thread::sleep_for(kBetweenWrites);
  }
}

// --- the ground ----------------------------------------------------------------------------------

std::unique_ptr<stack::Stack> Ground::stack_;

void Ground::SetUpTestSuite() { SetUpOn({}); }

void Ground::SetUpOn(stack::StackOptions options) {
  options.data_dir = FolderOf("stack");
  options.slack_messages_per_second = 0;
  options.pagerduty_events_per_minute = 0;
  auto made = stack::Stack::Start(options);
  ASSERT_TRUE(made.ok()) << made.error().message;
  stack_ = std::move(*made);
}

void Ground::TearDownTestSuite() {
  if (!stack_) return;
  const std::string dir = stack_->options().data_dir;
  stack_.reset();
  if (::testing::UnitTest::GetInstance()->current_test_suite()->Failed() ||
      getenv("LIVEOPS_KEEP") != nullptr) {
    fmt::print("The logs and the ledger are kept in {}\n", dir);
    return;
  }
  std::filesystem::remove_all(dir);
  std::filesystem::remove(dir + ".lock");
}

void Ground::SetUp() { ASSERT_TRUE(stack_) << "no stack"; }

void Ground::TearDown() {
  if (!stack_) return;
  for (stack::ServiceProcess* service : stack_->services()) {
    EXPECT_TRUE(service->process().running())
        << service->spec().instance << " ended; the end of its log:\n"
        << stack::TailOf(service->log_file(), 15);
  }
}

std::string Ground::PlanOf(const std::string& service, const std::string& when,
                           const std::string& more) {
  return fmt::format(R"(service: {}
phase: 1
{}owners:
  on-call: {{title: On-call Engineer, slack: "#oncall", pagerduty: oncall}}
alarms:
  - {{name: hot, when: "{}", severity: critical, owner: on-call}}
)",
                     service, more, when);
}

void Ground::Apply(const std::string& service, const std::string& plan) {
  ApplyOnly(service, plan);
  if (HasFatalFailure()) return;
  ASSERT_TRUE(Await(kListedWithin,
                    [&] {
                      for (const auto& [id, alarm] : Alarms()) {
                        if (id.starts_with(service + "/hot")) return true;
                      }
                      return false;
                    }))
      << "the plan of " << service << " did not come into force";
}

void Ground::ApplyOnly(const std::string& service, const std::string& plan) {
  const std::string file = Stack().Path(service + ".yaml");
  ASSERT_TRUE(stack::WriteFile(file, plan).ok());
  auto applied = Stack().Ctl("operator-1", {"plan", "apply", file});
  ASSERT_TRUE(applied.ok()) << applied.error().message;
  ASSERT_TRUE(applied->status.clean()) << applied->err << applied->out;
}

std::unique_ptr<Emitter> Ground::Emit(const std::string& service, const std::string& host,
                                      double value) {
  return std::make_unique<Emitter>(Stack().plain_ingest(), service, host, value);
}

Told Ground::ToldOf(const std::string& service) {
  Told told;
  auto ledger = Stack().sink().Ledger();
  if (!ledger.ok()) {
    ADD_FAILURE() << ledger.error().message;
    return told;
  }
  std::set<std::string> keys;  // resolves carry no alarm id
  for (const stack::LedgerEntry& entry : *ledger) {
    const bool about = entry.body.find(service) != std::string::npos;
    if (about && !entry.dedup_key.empty()) keys.insert(entry.dedup_key);
    if (!about && !keys.contains(entry.dedup_key)) continue;
    if (entry.provider == "slack" && entry.effect == "posted") ++told.slack;
    if (entry.effect == "opened") ++told.opened;
    if (entry.kind == "trigger") ++told.triggers;
    if (entry.kind == "resolve" && entry.effect == "resolved") ++told.resolves;
    told.all += fmt::format("{} {} {} {} {}\n", entry.provider, entry.kind, entry.status,
                            entry.effect, entry.title);
  }
  told.dedup_keys = std::move(keys);
  return told;
}

std::map<std::string, Alarm> Ground::Alarms() {
  std::map<std::string, Alarm> alarms;
  std::string why;
  const bool answered = Await(kListAnswersWithin, [&] {
    auto listed = Stack().Ctl("viewer-1", {"--json", "alarms", "list", "--all"});
    why = listed.ok() ? listed->status.ToString() + ": " + listed->err : listed.error().message;
    if (!listed.ok() || !listed->status.clean()) return false;
    const auto json = nlohmann::json::parse(listed->out, nullptr, false);
    why = "no list: " + listed->out;
    if (json.is_discarded()) return false;
    for (const auto& alarm : json.value("alarms", nlohmann::json::array())) {
      alarms[alarm.value("alarm_id", "")] = {
          alarm.value("state", ""), alarm.value("episode_ms", ""),
          alarm.contains("value") && alarm["value"].is_number() ? alarm["value"].get<double>()
                                                                : 0};  // NaN is a text
    }
    return true;
  });
  if (!answered) ADD_FAILURE() << "the alarms were not listed: " << why;
  return alarms;
}

bool Ground::AwaitState(const std::string& alarm_id, const std::string& state) {
  return Await(kListedWithin, [&] { return Alarms()[alarm_id].state == state; });
}

std::string Ground::ExplainedAt(const std::string& alarm_id, std::int64_t at_ms) {
  const auto told =
      Stack().Ctl("viewer-1", {"alarms", "explain", alarm_id, "--at", FormatUtc(at_ms)});
  if (!told.ok()) {
    ADD_FAILURE() << told.error().message;
    return "";
  }
  EXPECT_TRUE(told->status.clean()) << told->status.ToString() << ": " << told->err;
  return told->out;
}

Status Ground::ReadLog(const std::string& service,
                       const std::function<void(const v1::ShardRecord&)>& each) {
  auto consumer = kafka::AssignedConsumer::Create({Stack().kafka().address(), "outages", {}});
  if (!consumer.ok()) return consumer.error();
  return runtime::ReadToEnd(
      **consumer, runtime::topic::kMetrics, PartitionOf(service, Stack().options().partitions),
      kafka::kOffsetBeginning, Duration(20'000), [&](const kafka::Record& record) {
        v1::ShardRecord shard;
        if (!shard.ParseFromString(record.value)) return;
        if (shard.has_batch() && shard.batch().service() == service) each(shard);
      });
}

Result<std::map<std::uint64_t, int>> Ground::InLog(const std::string& service,
                                                   std::uint64_t session) {
  std::map<std::uint64_t, int> found;
  const Status read = ReadLog(service, [&](const v1::ShardRecord& record) {
    if (record.source().session() == session) ++found[record.source().sequence()];
  });
  if (!read.ok()) return read.error();
  return found;
}

Result<std::vector<double>> Ground::PointsInLog(const std::string& service) {
  std::vector<double> points;
  const Status read = ReadLog(service, [&](const v1::ShardRecord& record) {
    for (const double value : record.batch().point_value()) points.push_back(value);
  });
  if (!read.ok()) return read.error();
  return points;
}

rpc::TlsFiles Ground::Tls(const std::string& person) {
  const stack::Identity& identity = Stack().person(person);
  return {Stack().authority().ca_file(), identity.cert, identity.key};
}

// --- raw calls -----------------------------------------------------------------------------------

RawAnswer CallRaw(const std::string& address, const rpc::TlsFiles& tls, const std::string& method,
                  const std::string& body) {
  grpc::GenericStub stub(rpc::Connect(address, tls));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  grpc::CompletionQueue queue;
  const grpc::Slice slice(body);
  const grpc::ByteBuffer request(&slice, 1);
  const auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
  grpc::ByteBuffer response;
  grpc::Status status;
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  RawAnswer answer{status.error_code(), status.error_message(), ""};
  std::vector<grpc::Slice> slices;
  if (status.ok() && response.Dump(&slices).ok()) {
    for (const grpc::Slice& part : slices) {
      answer.body.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
  }
  return answer;
}

std::string HealthOf(const std::string& address, const rpc::TlsFiles& tls) {
  const RawAnswer answer = CallRaw(address, tls, "/grpc.health.v1.Health/Check", "");
  if (answer.code != 0) return answer.message;
  // HealthCheckResponse: field 1, varint; 1 = SERVING, 2 = NOT_SERVING.
  if (answer.body == std::string_view("\x08\x01", 2)) return "SERVING";
  if (answer.body == std::string_view("\x08\x02", 2)) return "NOT_SERVING";
  return "UNKNOWN";
}

}  // namespace liveops::outages
