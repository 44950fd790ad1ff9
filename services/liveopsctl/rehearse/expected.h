#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/plan/fields.h"
#include "services/liveopsctl/rehearse/watched.h"
#include "services/rule-evaluation/engine/transition.h"

// What somebody expects of an alarm: read from a test file, compared with what the engine told.
// Only what is named must match. Pure.
namespace liveops::rehearse {

// `7.41%`, `612ms`, `8/min`, `0.97`: compared to as many digits as are written.
struct ExpectedValue {
  std::string text;
  double number = 0;
  double slack = 0;  // half of the last digit's place
  std::string unit;  // "" = none written

  // `value` is in `unit_of_value`.
  bool Fits(double value, std::string_view unit_of_value) const;
};

struct Expected {
  int line = 0;
  Duration at{0};      // from the beginning
  Duration within{0};  // or up to so much later
  std::string alarm;
  Labels labels;  // those of the group that are named
  std::optional<engine::AlarmState> state;
  std::string reason;  // "" = any
  std::optional<ExpectedValue> value;
  std::optional<plan::Severity> severity;
  std::string owner;  // "" = any

  // `error-rate{zone="a"}`
  std::string AlarmText() const;
  // "firing", "firing, 7.41%, owner on-call"
  std::string Text() const;
  bool SameAlarm(std::string_view name, const Labels& group) const;
  bool InTime(Duration moment) const { return moment >= at && moment <= at + within; }
  // What differs, time aside; "" when nothing does.
  std::string Differs(const engine::Transition& told) const;
  std::string Differs(const engine::AlarmView& view) const;
};

// Which lists of a test an entry may stand in, and so which words it may hold.
enum class ExpectedKind {
  kTransition,  // {at, within, alarm, labels, state, reason, value, severity, owner}
  kPage,        // {at, within, alarm, labels, value, severity, owner}
  kLook,        // {time, alarm, labels, state, value}
};

// The list at the node; entries with a problem are left out.
std::vector<Expected> ReadExpected(const plan::YamlNode& list, std::string_view key,
                                   ExpectedKind kind, const Watchlist& watched,
                                   plan::ProblemList& problems);

// What stands in a list of labels: `{zone: a}`.
Labels ReadLabels(const plan::YamlNode& node, plan::ProblemList& problems);

// The group's labels of `service/name{…}`.
std::string NameWithGroup(std::string_view alarm_id);

}  // namespace liveops::rehearse
