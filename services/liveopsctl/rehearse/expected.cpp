#include "services/liveopsctl/rehearse/expected.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/base/text.h"
#include "common/plan/units.h"

namespace liveops::rehearse {
namespace {

using engine::AlarmState;

constexpr Duration kTimeMax = std::chrono::hours(24 * 31);

const std::vector<std::string>& StateWords(ExpectedKind kind) {
  static const std::vector<std::string> transitions{"firing", "resolved", "no_data", "gone"};
  static const std::vector<std::string> views{"ok", "pending", "firing", "no_data", "blind"};
  return kind == ExpectedKind::kLook ? views : transitions;
}

std::optional<AlarmState> StateOf(std::string_view word) {
  for (const AlarmState state :
       {AlarmState::kOk, AlarmState::kPending, AlarmState::kFiring, AlarmState::kNoData,
        AlarmState::kResolved, AlarmState::kGone, AlarmState::kBlind}) {
    if (word == engine::AlarmStateName(state)) return state;
  }
  return std::nullopt;
}

// One of `known`; a problem gives nothing.
const plan::YamlNode* ReadWord(plan::Fields& fields, std::string_view key,
                               const std::vector<std::string>& known, plan::ProblemList& problems) {
  const plan::YamlNode* node = fields.Scalar(key);
  if (node == nullptr || std::find(known.begin(), known.end(), node->scalar) != known.end())
    return node;
  problems.Add(*node, fmt::format("unknown {} \"{}\"{}", key, Truncate(node->scalar, 40),
                                  Suggestion(node->scalar, known)));
  return nullptr;
}

std::optional<ExpectedValue> ReadNumber(std::string_view text) {
  ExpectedValue value;
  value.text = text;
  const char* end = text.data() + text.size();
  const auto [stop, error] =
      std::from_chars(text.data(), end, value.number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(value.number)) return std::nullopt;
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(stop - text.data()));
  const std::size_t dot = digits.find('.');
  const std::size_t places = dot == std::string_view::npos ? 0 : digits.size() - dot - 1;
  value.slack = 0.5 * std::pow(10.0, -static_cast<double>(places));
  value.unit = Trim(text.substr(digits.size()));
  return value;
}

// In the unit of what it is compared with; a rate's may be left out, as in a plan.
std::optional<double> Converted(double number, const std::string& unit, std::string_view to) {
  if (unit.empty() && (to.empty() || to.starts_with('/'))) return number;
  return plan::ConvertUnit(number, unit.empty() ? "1" : unit, to.empty() ? "1" : to);
}

std::optional<ExpectedValue> ReadValue(plan::Fields& fields, const Watched* watched,
                                       plan::ProblemList& problems) {
  const plan::YamlNode* node = fields.Scalar("value");
  if (node == nullptr) return std::nullopt;
  auto value = ReadNumber(node->scalar);
  if (!value) {
    problems.Add(*node, fmt::format("value is \"{}\", expected a number and its unit, such as "
                                    "7.4% or 612ms",
                                    Truncate(node->scalar, 40)));
    return std::nullopt;
  }
  if (watched == nullptr) return value;
  const bool fits =
      std::any_of(watched->units.begin(), watched->units.end(), [&](const std::string& unit) {
        return Converted(value->number, value->unit, unit).has_value();
      });
  if (fits) return value;
  problems.Add(*node, fmt::format("value \"{}\": the alarm's values are in \"{}\"",
                                  Truncate(node->scalar, 40), watched->units.front()));
  return std::nullopt;
}

std::optional<plan::Severity> ReadSeverity(plan::Fields& fields, plan::ProblemList& problems) {
  using plan::Severity;
  std::vector<std::string> known;
  for (const Severity severity : plan::kSeverities)
    known.emplace_back(plan::SeverityName(severity));
  const plan::YamlNode* node = ReadWord(fields, "severity", known, problems);
  if (node == nullptr) return std::nullopt;
  for (const Severity severity : plan::kSeverities) {
    if (node->scalar == plan::SeverityName(severity)) return severity;
  }
  return std::nullopt;
}

const Watched* ReadAlarm(plan::Fields& fields, ExpectedKind kind, const Watchlist& watched,
                         plan::ProblemList& problems) {
  const plan::YamlNode* node = fields.Scalar("alarm", true);
  if (node == nullptr) return nullptr;
  const Watched* found = watched.Find(node->scalar);
  if (found == nullptr) {
    const std::string name = node->scalar.substr(0, node->scalar.find('{'));
    const bool grouped = name.size() < node->scalar.size() && watched.Find(name) != nullptr;
    problems.Add(*node,
                 grouped ? fmt::format("write `alarm: {}`, and its group as `labels: {{…}}`", name)
                         : fmt::format("the plan has no alarm \"{}\"{}", Truncate(node->scalar, 60),
                                       Suggestion(node->scalar, watched.names())));
  } else if (kind == ExpectedKind::kPage && found->purpose != engine::Purpose::kPage) {
    problems.Add(*node,
                 fmt::format("\"{}\" pages nobody; look for it under expect or at", found->name));
    return nullptr;
  }
  return found;
}

std::optional<Expected> ReadOne(const plan::YamlNode& node, std::string_view key, ExpectedKind kind,
                                const Watchlist& watched, plan::ProblemList& problems) {
  plan::Fields fields(node, fmt::format("an entry of {}", key), problems);
  if (!fields.valid()) return std::nullopt;
  Expected expected;
  expected.line = problems.LineOf(node.offset);
  const char* time_key = kind == ExpectedKind::kLook ? "time" : "at";
  const bool has_time = fields.Require(time_key) != nullptr;
  const auto time = fields.Time(time_key, Duration(0), kTimeMax);
  expected.at = time.value_or(Duration(0));
  const Watched* alarm = ReadAlarm(fields, kind, watched, problems);
  if (alarm != nullptr) expected.alarm = alarm->name;
  if (const plan::YamlNode* labels = fields.Get("labels"))
    expected.labels = ReadLabels(*labels, problems);
  expected.value = ReadValue(fields, alarm, problems);
  if (kind != ExpectedKind::kPage) {
    if (const plan::YamlNode* state = ReadWord(fields, "state", StateWords(kind), problems))
      expected.state = StateOf(state->scalar);
  }
  if (kind != ExpectedKind::kLook) {
    expected.within = fields.Time("within", Duration(0), kTimeMax).value_or(Duration(0));
    expected.severity = ReadSeverity(fields, problems);
    if (const plan::YamlNode* owner = ReadWord(fields, "owner", watched.owners(), problems))
      expected.owner = owner->scalar;
  }
  if (kind == ExpectedKind::kTransition) {
    static const std::vector<std::string> reasons{"crossed", "recovered", "silent", "returned",
                                                  "gone"};
    if (const plan::YamlNode* reason = ReadWord(fields, "reason", reasons, problems))
      expected.reason = reason->scalar;
  }
  fields.Finish();
  if (alarm == nullptr || !has_time || !time) return std::nullopt;
  return expected;
}

template <typename Told>
std::string WhatDiffers(const Expected& expected, const Told& told) {
  std::vector<std::string> parts;
  if (expected.state && *expected.state != told.state) {
    parts.emplace_back(engine::AlarmStateName(told.state));
  }
  if (expected.value && !expected.value->Fits(told.value, told.unit)) {
    parts.push_back("value " + FormatValue(told.value, told.unit));
  }
  if (expected.severity && *expected.severity != told.severity) {
    parts.push_back(std::string("severity ") + plan::SeverityName(told.severity));
  }
  if (!expected.owner.empty() && expected.owner != told.owner) {
    parts.push_back("owner " + (told.owner.empty() ? "(none)" : told.owner));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

bool ExpectedValue::Fits(double value, std::string_view unit_of_value) const {
  const auto wanted = Converted(number, unit, unit_of_value);
  const auto leeway = Converted(slack, unit, unit_of_value);
  if (!wanted || !leeway || std::isnan(value)) return false;
  // A last digit that was rounded in either direction still fits.
  return std::fabs(value - *wanted) <= *leeway * (1 + 1e-9);
}

std::string Expected::AlarmText() const { return alarm + labels.ToString(); }

std::string Expected::Text() const {
  std::vector<std::string> parts;
  if (state) parts.emplace_back(engine::AlarmStateName(*state));
  if (!reason.empty()) parts.push_back(reason);
  if (value) parts.push_back(value->text);
  if (severity) parts.emplace_back(plan::SeverityName(*severity));
  if (!owner.empty()) parts.push_back("owner " + owner);
  const std::string what = fmt::format("{}", fmt::join(parts, ", "));
  const std::string when =
      FormatDuration(at) + (within > Duration(0) ? " to " + FormatDuration(at + within) : "");
  return what.empty() ? when : when + " " + what;
}

bool Expected::SameAlarm(std::string_view name, const Labels& group) const {
  if (name != alarm) return false;
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    const std::string* found = group.Find(label.first);
    return found != nullptr && *found == label.second;
  });
}

std::string Expected::Differs(const engine::Transition& told) const {
  std::string differs = WhatDiffers(*this, told);
  if (!reason.empty() && reason != told.reason) {
    differs += (differs.empty() ? "" : ", ") + told.reason;
  }
  return differs;
}

std::string Expected::Differs(const engine::AlarmView& view) const {
  return WhatDiffers(*this, view);
}

std::vector<Expected> ReadExpected(const plan::YamlNode& list, std::string_view key,
                                   ExpectedKind kind, const Watchlist& watched,
                                   plan::ProblemList& problems) {
  std::vector<Expected> all;
  if (list.kind != plan::YamlNode::Kind::kList) {
    problems.Add(list, fmt::format("{} is {}, expected a list", key, KindName(list.kind)));
    return all;
  }
  for (const plan::YamlNode& item : list.items) {
    if (auto one = ReadOne(item, key, kind, watched, problems)) all.push_back(std::move(*one));
  }
  return all;
}

Labels ReadLabels(const plan::YamlNode& node, plan::ProblemList& problems) {
  Labels labels;
  if (node.kind != plan::YamlNode::Kind::kMap) {
    problems.Add(node, fmt::format("labels is {}, expected a mapping of names to values",
                                   KindName(node.kind)));
    return labels;
  }
  for (const auto& [name, value] : node.entries) {
    if (value.kind != plan::YamlNode::Kind::kScalar) {
      problems.Add(value, fmt::format("the label \"{}\" is {}, expected a single value",
                                      Truncate(name.scalar, 40), KindName(value.kind)));
      continue;
    }
    labels.Set(name.scalar, value.scalar);
  }
  return labels;
}

std::string NameWithGroup(std::string_view alarm_id) {
  // A service's name has no slash.
  return std::string(alarm_id.substr(alarm_id.find('/') + 1));
}

}  // namespace liveops::rehearse
