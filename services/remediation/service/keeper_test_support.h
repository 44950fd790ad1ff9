#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <thread>

#include "common/base/hash.h"
#include "common/runtime/topics.h"
#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/metrics.pb.h"
#include "liveops/v1/remediations.pb.h"
#include "services/remediation/policy/identity.h"
#include "services/remediation/service/keeper.h"

// One log, any number of replicas, a tool and a worker that do what the test says, and a clock that
// it moves.
namespace liveops::remediation::testing_support {

namespace topic = runtime::topic;
using ::testing::ElementsAre;

constexpr std::int32_t kPartitions = 4;
constexpr const char* kPlan = R"(service: shop
phase: 1
owners: {on-call: {slack: "#oncall"}}
metrics:
  5xx: {ratio: [http_5xx_count, http_request_count]}
alarms:
  - {name: error-rate, when: "5xx > 1% for 3min", severity: critical, owner: on-call}
remediations:
  - name: surge
    when: "5xx > 5% for 3min"
    do: {kubectl: [rollout, undo, deployment/shop]}
    approval: {from: on-call, within: 15min}
    expect: "5xx < 1% within 5min"
)";

// The broker: appends at once, and tells of it at once unless told to fail.
class FakeLog : public kafka::Producer {
 public:
  void Produce(std::string_view name, std::int32_t partition, std::string_view key,
               std::string value, const std::vector<kafka::Header>& headers,
               Delivered done) override {
    if (failing || (fails_at == partition && name == topic::kMetrics)) {
      return done(UnavailableError("away"));
    }
    kafka::Record record;
    record.topic = name;
    record.partition = partition;
    record.offset = next[{record.topic, partition}]++;
    record.append_time = now;
    record.key = key;
    record.value = value;
    record.headers = headers;
    const kafka::Delivery delivery{record.offset, record.append_time};
    records.push_back(std::move(record));
    if (done) done(delivery);
    if (on_append) std::exchange(on_append, nullptr)();
  }
  bool Flush(Duration) override { return true; }
  bool connected() const override { return true; }
  std::size_t queued_bytes() const override { return 0; }

  std::deque<kafka::Record> records;
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> next;
  RealTime now = RealFromMs(1'770'000'000'000);
  bool failing = false;
  std::optional<std::int32_t> fails_at;  // of metrics.v1
  std::function<void()> on_append;       // once
};

class FakeJobs : public Jobs {
 public:
  void Post(std::function<void()> job) override { queue.push_back(std::move(job)); }
  // Runs what is there and what that leads to.
  void RunAll() {
    while (!queue.empty()) {
      const auto job = std::move(queue.front());
      queue.pop_front();
      job();
    }
  }
  std::deque<std::function<void()>> queue;
};

// A cluster: a template in force, and how often it was changed.
class FakeTool : public Tool {
 public:
  Result<Target> TargetOf(const std::vector<std::string>&) const override {
    return Target{"default", "deployment/shop"};
  }
  Result<Action> Resolve(const std::vector<std::string>&,
                         const std::vector<std::string>& avoid) override {
    ++resolves;
    avoided = avoid;
    if (resolve_error) return *resolve_error;
    return Action{"kubectl",
                  "deployment/shop",
                  "default",
                  {"kubectl", "rollout", "undo", "deployment/shop", "--to-revision=42"},
                  {{"template", "bad"}},
                  {{"template", "good"}},
                  "roll back"};
  }
  Status Check(const Action&) override {
    if (on_check) on_check();
    if (in_force != "bad") return ConflictError("another revision is in force");
    return {};
  }
  Result<Ran> Run(const Action&) override {
    ++runs;
    if (exit_code == 0) in_force = "good";
    return Ran{exit_code, "said"};
  }
  Result<Observation> ReadBack(const Action&) override {
    ++read_backs;
    return Observation{in_force == "good", "revision 44, template " + in_force};
  }

  std::string in_force = "bad";
  int exit_code = 0;
  int resolves = 0;
  int runs = 0;
  int read_backs = 0;
  std::optional<Error> resolve_error;
  std::vector<std::string> avoided;
  std::function<void()> on_check;
};

class KeeperTest : public ::testing::Test {
 protected:
  struct Replica {
    Replica(KeeperTest& test, const std::string& name, std::uint64_t session)
        : writer(name, session),
          keeper(test.Options(), TimeMap{}, writer, test.log, test.tool, jobs) {}
    runtime::Writer writer;
    FakeJobs jobs;
    Keeper keeper;
    std::size_t read = 0;
  };

  KeeperOptions Options() {
    KeeperOptions options;
    options.partitions = kPartitions;
    options.now = [this] { return steady; };
    return options;
  }

  // A replica that has read the log and owns every partition.
  std::unique_ptr<Replica> Start(const std::string& name, bool claim = true) {
    auto replica = std::make_unique<Replica>(*this, name, ++sessions_);
    Read(*replica);
    replica->keeper.CaughtUp();
    if (claim) ClaimAll(*replica);
    return replica;
  }
  void ClaimAll(Replica& replica) {
    for (std::int32_t p = 0; p < kPartitions; ++p) {
      const auto delivery =
          log.ProduceSync(topic::kRemediations, p, "claim/x", replica.keeper.EncodeClaim());
      replica.keeper.Claimed(p, delivery->offset, steady);
    }
    Read(replica);
  }
  void Read(Replica& replica) {
    while (replica.read < log.records.size()) {
      const kafka::Record record = log.records[replica.read++];
      if (record.topic == topic::kRemediations) replica.keeper.OnRemediation(record);
      if (record.topic == topic::kAlarms) replica.keeper.OnAlarm(record);
    }
  }
  // Reads and works until nothing more happens.
  void Settle(Replica& replica) {
    do {
      Read(replica);
      replica.jobs.RunAll();
    } while (replica.read < log.records.size() || !replica.jobs.queue.empty());
  }
  void Pass(int seconds) {
    steady += std::chrono::seconds(seconds);
    log.now += Duration(std::chrono::seconds(seconds));
  }
  void PassAndTick(Replica& replica, int seconds) {
    Pass(seconds);
    replica.keeper.Tick();
    Settle(replica);
  }

  void Alarm(const v1::AlarmRecord& record) {
    log.ProduceSync(topic::kAlarms, PartitionOf("shop", kPartitions), "k",
                    record.SerializeAsString(), {{"traceparent", kTrace}})
        .ok();
  }
  void ApplyPlan(const std::string& applied_by = "kim", std::uint64_t version = 3,
                 const std::string& text = kPlan) {
    v1::AlarmRecord record;
    record.mutable_plan()->set_service("shop");
    record.mutable_plan()->set_version(version);
    record.mutable_plan()->set_text(text);
    record.mutable_plan()->set_applied_by(applied_by);
    record.mutable_plan()->set_clock_ms(ToMs(log.now));
    Alarm(record);
  }
  void Scenario(v1::AlarmState state, std::uint32_t step, const std::string& name = "surge") {
    v1::AlarmRecord record;
    v1::AlarmTransition* t = record.mutable_transition();
    t->set_alarm_id("shop/scenario:" + name);
    t->set_service("shop");
    t->set_name("scenario:" + name);
    t->set_purpose(v1::PURPOSE_SCENARIO);
    t->set_state(state);
    t->set_episode_ms(episode_ms);
    t->set_step(step);
    t->set_clock_ms(ToMs(log.now));
    t->set_value(12);
    t->set_threshold(5);
    t->set_comparison(">");
    t->set_unit("%");
    Alarm(record);
  }
  void Probe(bool became_true) {
    v1::AlarmRecord record;
    v1::AlarmTransition* t = record.mutable_transition();
    t->set_purpose(v1::PURPOSE_PROBE);
    t->set_probe_id(ProbeId(Id()));
    t->set_state(became_true ? v1::ALARM_STATE_FIRING : v1::ALARM_STATE_RESOLVED);
    t->set_clock_ms(ToMs(log.now));
    Alarm(record);
  }

  std::string Id(const std::string& name = "surge") const {
    return RemediationId("shop/scenario:" + name, InstantFromMs(episode_ms), name);
  }
  // The kinds of records in remediations.v1, claims aside.
  std::vector<std::string> Story() const {
    std::vector<std::string> story;
    for (const kafka::Record& record : log.records) {
      v1::RemediationRecord proto;
      if (record.topic != topic::kRemediations || !proto.ParseFromString(record.value)) continue;
      switch (proto.body_case()) {
        case v1::RemediationRecord::kProposed:
          story.push_back("proposed");
          break;
        case v1::RemediationRecord::kApproved:
          story.push_back("approved");
          break;
        case v1::RemediationRecord::kDenied:
          story.push_back("denied");
          break;
        case v1::RemediationRecord::kIntent:
          story.push_back("intent");
          break;
        case v1::RemediationRecord::kEffect:
          story.push_back("effect");
          break;
        case v1::RemediationRecord::kOutcome:
          story.push_back(OutcomeName(static_cast<OutcomeKind>(proto.outcome().outcome())));
          break;
        default:
          break;
      }
    }
    return story;
  }
  int Probes() const {
    int probes = 0;
    for (const kafka::Record& record : log.records) probes += record.topic == topic::kMetrics;
    return probes;
  }
  std::string Digest(Replica& replica, const std::string& name = "surge") {
    return replica.keeper.Get(Id(name))->first.proposed->digest;
  }
  // Appends an approval as a call would; reading it back is the test's business.
  void Approve(Replica& replica, const std::string& who = "alice",
               const std::string& name = "surge") {
    v1::RemediationRecord record;
    record.set_remediation_id(Id(name));
    record.set_clock_ms(ToMs(log.now));
    record.mutable_approved()->set_digest(Digest(replica, name));
    record.mutable_approved()->set_by(who);
    record.mutable_approved()->set_expires_ms(ToMs(log.now) + 600'000);
    log.ProduceSync(topic::kRemediations, PartitionOf("default/deployment/shop", kPartitions),
                    Id(name), record.SerializeAsString())
        .ok();
  }
  // Up to the proposal.
  std::unique_ptr<Replica> Proposed() {
    ApplyPlan();
    auto replica = Start("remediation-0");
    Scenario(v1::ALARM_STATE_FIRING, 0);
    Settle(*replica);
    EXPECT_THAT(Story(), ElementsAre("proposed"));
    return replica;
  }
  // Up to an intent that was written but not read back.
  std::unique_ptr<Replica> Intended() {
    auto replica = Proposed();
    Approve(*replica);
    kafka::Record approval = log.records.back();
    ++replica->read;
    replica->keeper.OnRemediation(approval);
    EXPECT_THAT(Story(), ElementsAre("proposed", "approved", "intent"));
    return replica;
  }

  static constexpr const char* kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  std::int64_t episode_ms = 1'770'000'000'000;
  SteadyTime steady{std::chrono::hours(1)};
  FakeLog log;
  FakeTool tool;

 private:
  std::uint64_t sessions_ = 0;
};

}  // namespace liveops::remediation::testing_support
