#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/kafka/kafka.h"
#include "common/plan/model.h"
#include "services/notifier/policy/facts.h"
#include "services/notifier/policy/route.h"
#include "services/notifier/service/codec.h"

namespace liveops::notifier {

class ErrorLines;
class Exemplars;

inline constexpr Duration kKeepClosed{7LL * 24 * 3600 * 1000};  // domain, after the resolve

// What remediation says of one countermeasure.
struct RemedyFacts {
  std::string id;
  v1::Proposed proposed;
  Instant proposed_at{};
  std::string approved_by;
  bool acted = false;  // an intent was written
  RemedyEnd end = RemedyEnd::kOpen;
  std::string end_detail;
  Instant ended{};
  std::string traceparent;
};

// One episode of one alarm, or (phase kNone) the place of a remedy that no page carries.
struct Group {
  std::string id;
  std::string alarm_id;
  std::string service;
  std::string owner;
  Instant episode{};
  plan::Severity severity = plan::Severity::kMedium;
  Phase phase = Phase::kNone;
  std::uint32_t step = 0;
  bool refire = false;
  Instant ended{};
  v1::AlarmTransition opening;  // the newest that opened or reopened it
  v1::AlarmTransition last;
  std::string traceparent;  // of the newest record about it
};

struct Acknowledged {
  std::string by;
  std::uint64_t session = 0;  // of the record that won
  std::uint64_t sequence = 0;
};

// What a record changed.
struct Applied {
  std::vector<std::string> groups;  // to be looked at again
  bool plan_changed = false;        // every group of `service` is to be looked at again
  std::string service;
  std::optional<Instant> clock;  // partition clock that the record carries
  std::string poison;            // not empty: why the record could not be read
};

// Desired state: what alarms.v1, operations.v1 and remediations.v1 say, read from their beginnings.
// Level-triggered: it holds what is so, not what happened. Not thread-safe.
class Registry {
 public:
  Applied OnAlarms(const kafka::Record& record);
  Applied OnOperations(const kafka::Record& record);
  Applied OnRemediations(const kafka::Record& record);

  const Group* Find(std::string_view group) const;
  const Group* FindOpen(std::string_view alarm_id) const;
  std::vector<std::string> OpenAlarms() const;
  std::vector<std::string> GroupIds() const;
  std::vector<std::string> GroupsOf(std::string_view service) const;
  const Acknowledged* AcknowledgedBy(std::string_view group) const;

  // The plan in force; nullptr when none is known or it cannot be read (`plan_problem` says so
  // once).
  const plan::Plan* PlanOf(std::string_view service);
  // Problems of plans met since the last call, "service: message".
  std::vector<std::string> TakePlanProblems();
  // Does any plan in force ask for a dedup window?
  bool AnyDedup();

  Desired DesiredOf(const Group& group);
  Route RouteFor(const Group& group);
  // A foreign alert is whose the plan in force says, also when it came before there was a plan.
  std::string OwnerOf(const Group& group);
  // Those told under this group, in order of their proposal.
  std::vector<const RemedyFacts*> RemediesOf(const Group& group) const;
  // Those that are open and belong on the alarm's page, wherever they are told.
  std::vector<const RemedyFacts*> OpenRemediesForPage(const Group& group) const;

  // Whose lines stand on pages; nullptr: none do. They must outlive it.
  void ShowErrorLines(const ErrorLines* lines) { error_lines_ = lines; }
  const ErrorLines* error_lines() const { return error_lines_; }
  void ShowExemplars(const Exemplars* exemplars) { exemplars_ = exemplars; }
  const Exemplars* exemplars() const { return exemplars_; }

  // Forgets what closed more than kKeepClosed before `now`.
  void Expire(Instant now);
  std::size_t size() const { return groups_.size(); }

 private:
  struct PlanSlot {
    std::uint64_t version = 0;
    std::string text;
    std::optional<plan::Plan> parsed;
    bool broken = false;
  };

  bool Valid(EpochFilter& filter, const kafka::Record& record) const;
  void ApplyTransition(const v1::AlarmTransition& transition, const kafka::Record& record,
                       Applied& applied);
  void ApplyProposed(const v1::RemediationRecord& record, const kafka::Record& raw);
  std::string GroupOf(const RemedyFacts& remedy) const;
  Group& StandAlone(const RemedyFacts& remedy);

  std::map<std::int32_t, EpochFilter> alarm_filters_;
  std::map<std::int32_t, EpochFilter> remediation_filters_;
  std::map<std::string, Group, std::less<>> groups_;
  // alarm id -> its newest group and the last (episode, step) seen.
  struct Newest {
    std::string group;
    std::int64_t episode_ms = 0;
    std::uint32_t step = 0;
    Instant clock{};
  };
  std::map<std::string, Newest, std::less<>> newest_;
  std::map<std::string, Acknowledged, std::less<>> acks_;  // by group
  std::map<std::string, RemedyFacts, std::less<>> remedies_;
  std::vector<std::string> remedy_order_;
  std::map<std::string, PlanSlot, std::less<>> plans_;
  // Services: whose plan came since AnyDedup last looked, and whose plan asks for a window.
  std::set<std::string> not_looked_at_;
  std::set<std::string> with_dedup_;
  std::vector<std::string> plan_problems_;
  Instant newest_clock_{};
  const ErrorLines* error_lines_ = nullptr;
  const Exemplars* exemplars_ = nullptr;
  int until_expiry_ = 1024;
};

}  // namespace liveops::notifier
