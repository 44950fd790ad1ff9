#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/hash.h"
#include "common/runtime/ownership.h"
#include "common/runtime/topics.h"
#include "liveops/v1/operations.pb.h"
#include "services/notifier/service/core.h"

// A world around one core after the other: one log of notifications that outlives them, a provider
// that the test plays, a clock that the test moves.
namespace liveops::notifier {

inline constexpr std::int32_t kPartitions = 4;
inline constexpr std::uint64_t kStranger = 77;  // another process's session
inline constexpr const char* kPlanText = R"(
service: backend-api
phase: 1
owners:
  on-call: {title: On-call Engineer, slack: "#oncall", pagerduty: oncall}
  backend: {slack: "#backend"}
metrics:
  depth: {metric: queue_depth}
alarms:
  - {name: deep, when: "last(queue_depth) > 5", severity: critical, owner: on-call}
)";

struct SentMessage {
  std::uint64_t token = 0;
  std::string url;
  std::string body;
  Duration timeout{};
  Duration good_until{};
  bool Has(std::string_view text) const { return body.find(text) != std::string::npos; }
};

class World {
 public:
  World() {
    settings.slack_webhooks = {{"#oncall", "https://slack/oncall-hook"},
                               {"#backend", "https://slack/backend-hook"}};
    settings.pagerduty_keys = {{"oncall", "0123456789abcdef0123456789abcdef"}};
    settings.pagerduty_url = "https://pagerduty/v2/enqueue";
  }

  // A process starts: reads history, claims every partition.
  void Start() {
    writer = std::make_unique<runtime::Writer>("notifier", ++session);
    core = std::make_unique<Core>(settings, TimeMap{}, kPartitions, *writer);
    for (const kafka::Record& record : alarms) Run(core->OnAlarms(record, now));
    for (const kafka::Record& record : operations) Run(core->OnOperations(record, now));
    for (const kafka::Record& record : remediations) Run(core->OnRemediations(record, now));
    Run(core->OnCaughtUp(now));
    for (std::int32_t p = 0; p < kPartitions; ++p) TakeOver(p);
  }
  void TakeOver(std::int32_t p) {
    const std::int64_t epoch = Claim(p, writer->session());
    Ledger ledger;
    for (const kafka::Record& record : log) {
      if (record.partition != p) continue;
      EXPECT_TRUE(ledger.Apply(record));
    }
    next_read[p] = std::max(next_read[p], epoch + 1);
    reclaims.erase(p);
    Run(core->OnOwned(p, epoch, ledger, now));
  }
  // As the service answers a Reclaim that Kafka's group agrees to.
  void ClaimAnew(std::int32_t p) {
    EXPECT_TRUE(reclaims.contains(p));
    EXPECT_TRUE(core->Drained(p, now));
    TakeOver(p);
    ReadBack();
  }
  // Also what another process does.
  std::int64_t Claim(std::int32_t p, std::uint64_t by = kStranger) {
    v1::NotificationRecord record;
    record.mutable_claim()->set_owner("somebody");
    record.mutable_claim()->set_session(by);
    return Append(p, "claim/" + std::to_string(log.size()), record.SerializeAsString(), {});
  }
  // kill -9: what was under way is never heard of again.
  void Kill() {
    core.reset();
    sent.clear();
  }

  std::int64_t Append(std::int32_t p, const std::string& key, const std::string& value,
                      std::vector<kafka::Header> headers) {
    kafka::Record record;
    record.topic = runtime::topic::kNotifications;
    record.partition = p;
    record.offset = static_cast<std::int64_t>(log.size());
    record.append_time = RealFromMs(clock_ms);
    record.key = key;
    record.value = value;
    record.headers = std::move(headers);
    log.push_back(record);
    return record.offset;
  }

  void Run(Effects effects) {
    for (Effect& effect : effects) {
      if (auto* write = std::get_if<WriteRecord>(&effect)) {
        Append(write->partition, write->key, write->value, runtime::OwnerHeaders(write->epoch));
        if (write->value.empty()) ++tombstones;
      } else if (auto* send = std::get_if<SendRequest>(&effect)) {
        sent.push_back({send->token, send->request.url, send->request.body, send->request.timeout,
                        send->good_until});
      } else if (auto* question = std::get_if<DedupQuestion>(&effect)) {
        questions.push_back(*question);
      } else if (auto* store = std::get_if<DedupStore>(&effect)) {
        stores.push_back(*store);
      } else if (auto* reclaim = std::get_if<Reclaim>(&effect)) {
        reclaims.insert(reclaim->partition);
      } else if (auto* dead = std::get_if<DeadLetterNote>(&effect)) {
        dead_letters.push_back(dead->why);
        buried.push_back(*dead);
      } else {
        logged.push_back(std::get<LogLine>(effect).event);
      }
    }
  }

  // The group consumer reads what was written.
  void ReadBack() {
    while (ReadNext()) {
    }
  }
  bool ReadNext() {
    for (std::size_t i = 0; i < log.size(); ++i) {
      const kafka::Record record = log[i];
      if (record.offset < next_read[record.partition]) continue;
      next_read[record.partition] = record.offset + 1;
      Run(core->OnNotification(record, now));
      return true;
    }
    return false;
  }

  void Advance(Duration by) {
    now.steady += by;
    now.boot += by;
    clock_ms += by.count();
    Run(core->OnTime(now));
    ReadBack();
  }

  // --- the provider ---
  SentMessage Take(std::string_view url_part) {
    ReadBack();
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (sent[i].url.find(url_part) == std::string::npos) continue;
      const SentMessage message = sent[i];
      sent.erase(sent.begin() + static_cast<std::ptrdiff_t>(i));
      return message;
    }
    ADD_FAILURE() << "nothing was sent to " << url_part;
    return {};
  }
  bool AnythingTo(std::string_view url_part) {
    ReadBack();
    for (const SentMessage& message : sent) {
      if (message.url.find(url_part) != std::string::npos) return true;
    }
    return false;
  }
  void Answer(const SentMessage& message, int status, const std::string& body = "",
              const std::string& retry_after = "") {
    http::Outcome outcome;
    outcome.answered = true;
    outcome.response.status = status;
    outcome.response.body = body;
    if (!retry_after.empty()) outcome.response.headers["retry-after"] = retry_after;
    Run(core->OnAnswer(message.token, outcome, now, clock_ms));
    ReadBack();
  }
  void NoAnswer(const SentMessage& message, bool surely_not_sent) {
    http::Outcome outcome;
    outcome.error = TimeoutError("no answer");
    outcome.surely_not_sent = surely_not_sent;
    Run(core->OnAnswer(message.token, outcome, now, clock_ms));
    ReadBack();
  }
  void SlackOk() { Answer(Take("slack/oncall"), 200, "ok"); }
  void PagerDutyOk() { Answer(Take("pagerduty"), 202, "{}"); }

  // --- the world's facts ---
  void Plan(const std::string& text = kPlanText) {
    v1::AlarmRecord record;
    record.mutable_plan()->set_service("backend-api");
    record.mutable_plan()->set_version(static_cast<std::uint64_t>(alarms.size() + 1));
    record.mutable_plan()->set_text(text);
    record.mutable_plan()->set_clock_ms(clock_ms);
    Alarms("plan/backend-api", record);
  }
  void Transition(const std::string& name, std::int64_t episode, std::uint32_t step,
                  v1::AlarmState state, v1::Severity severity = v1::SEVERITY_CRITICAL,
                  const std::string& owner = "on-call", std::int64_t epoch = -1) {
    v1::AlarmRecord record;
    v1::AlarmTransition& t = *record.mutable_transition();
    t.set_alarm_id("backend-api/" + name);
    t.set_service("backend-api");
    t.set_name(name);
    t.set_purpose(v1::PURPOSE_PAGE);
    t.set_episode_ms(episode);
    t.set_step(step);
    t.set_state(state);
    t.set_severity(severity);
    t.set_owner(owner);
    t.set_value(state == v1::ALARM_STATE_RESOLVED ? 1 : 9);
    t.set_threshold(5);
    t.set_comparison(">");
    t.set_clock_ms(clock_ms);
    t.set_clock_real_ms(clock_ms);
    Alarms(t.alarm_id(), record, epoch);
  }
  void Fire(const std::string& name = "deep", std::int64_t episode = 1000,
            v1::Severity severity = v1::SEVERITY_CRITICAL) {
    Transition(name, episode, 0, v1::ALARM_STATE_FIRING, severity);
  }
  void Resolve(const std::string& name = "deep", std::int64_t episode = 1000) {
    Transition(name, episode, 1, v1::ALARM_STATE_RESOLVED);
  }
  std::int64_t Alarms(const std::string& key, const v1::AlarmRecord& body,
                      std::int64_t epoch = -1) {
    kafka::Record record = Fact(runtime::topic::kAlarms, key, body.SerializeAsString(), alarms);
    if (epoch >= 0) record.headers = runtime::OwnerHeaders(epoch);
    alarms.push_back(record);
    if (core) Run(core->OnAlarms(record, now));
    return record.offset;
  }
  void Ack(const std::string& by, const std::string& name = "deep", std::int64_t episode = 1000) {
    v1::OperationRecord body;
    body.mutable_acknowledgement()->set_alarm_id("backend-api/" + name);
    body.mutable_acknowledgement()->set_episode_ms(episode);
    body.mutable_acknowledgement()->set_by(by);
    operations.push_back(
        Fact(runtime::topic::kOperations, "x", body.SerializeAsString(), operations));
    if (core) Run(core->OnOperations(operations.back(), now));
  }
  void Remediation(const v1::RemediationRecord& body) {
    remediations.push_back(
        Fact(runtime::topic::kRemediations, "r", body.SerializeAsString(), remediations));
    if (core) Run(core->OnRemediations(remediations.back(), now));
  }
  v1::RemediationRecord Remedy(const std::string& id = "0123abcd") const {
    v1::RemediationRecord body;
    body.set_remediation_id(id);
    body.set_clock_ms(clock_ms);
    return body;
  }
  void Propose(const std::string& page_with = "backend-api/deep") {
    v1::RemediationRecord body = Remedy();
    v1::Proposed& proposed = *body.mutable_proposed();
    proposed.set_service("backend-api");
    proposed.set_scenario("surge");
    proposed.set_alarm_id("backend-api/scenario:surge");
    proposed.set_episode_ms(1000);
    proposed.set_page_with(page_with);
    proposed.set_approver_owner("on-call");
    proposed.mutable_action()->set_description("roll back");
    proposed.mutable_action()->add_argv("kubectl");
    Remediation(body);
  }
  // A guardrail said no: an action without an argv, and its reason in the action's place.
  void Refuse(const std::string& page_with = "backend-api/deep", bool outcome = true) {
    v1::RemediationRecord body = Remedy();
    v1::Proposed& proposed = *body.mutable_proposed();
    proposed.set_service("backend-api");
    proposed.set_scenario("surge");
    proposed.set_alarm_id("backend-api/scenario:surge");
    proposed.set_episode_ms(1000);
    proposed.set_page_with(page_with);
    proposed.set_approver_owner("on-call");
    proposed.mutable_action()->set_target("deployment/backend-api");
    proposed.mutable_action()->set_description("this remedy ran 3 times, a person must look");
    Remediation(body);
    if (!outcome) return;
    v1::RemediationRecord end = Remedy();
    end.mutable_outcome()->set_outcome(v1::REMEDIATION_OUTCOME_REFUSED);
    end.mutable_outcome()->set_detail("this remedy ran 3 times, a person must look");
    Remediation(end);
  }
  void Approve(const std::string& by) {
    v1::RemediationRecord body = Remedy();
    body.mutable_approved()->set_by(by);
    Remediation(body);
  }
  void Deny(const std::string& by) {
    v1::RemediationRecord body = Remedy();
    body.mutable_denied()->set_by(by);
    Remediation(body);
  }
  void Verified() {
    v1::RemediationRecord intent = Remedy();
    intent.mutable_intent();
    Remediation(intent);
    v1::RemediationRecord outcome = Remedy();
    outcome.mutable_outcome()->set_outcome(v1::REMEDIATION_OUTCOME_VERIFIED);
    Remediation(outcome);
  }

  // What the log says of one (group, destination): "firing=delivered resolved=superseded".
  std::string Told(const std::string& destination, const std::string& alarm = "backend-api/deep") {
    std::string out;
    for (const v1::DeliveryState& state : core->Deliveries(alarm)) {
      if (state.destination() != destination) continue;
      for (const notifier::Told& told : FromProto(state).told) {
        if (!out.empty()) out += ' ';
        out += std::string(NoticeName(told.notice)) + "=" + OutcomeName(told.outcome);
      }
    }
    return out;
  }

  Settings settings;
  std::uint64_t session = 0;
  std::unique_ptr<runtime::Writer> writer;
  std::unique_ptr<Core> core;
  Now now{SteadyTime(std::chrono::seconds(1000)), Duration(1'000'000)};
  std::int64_t clock_ms = 1'000'000;
  std::vector<kafka::Record> log;
  std::vector<kafka::Record> alarms, operations, remediations;
  std::map<std::int32_t, std::int64_t> next_read;
  std::vector<SentMessage> sent;
  std::vector<DedupQuestion> questions;
  std::vector<DedupStore> stores;
  std::set<std::int32_t> reclaims;
  std::vector<std::string> dead_letters;
  std::vector<DeadLetterNote> buried;
  std::vector<std::string> logged;
  int tombstones = 0;

 private:
  kafka::Record Fact(const char* topic, const std::string& key, const std::string& value,
                     const std::vector<kafka::Record>& earlier) const {
    kafka::Record record;
    record.topic = topic;
    record.offset = static_cast<std::int64_t>(earlier.size());
    record.key = key;
    record.value = value;
    return record;
  }
};

}  // namespace liveops::notifier
