#include "common/plan/model.h"

#include <algorithm>

namespace liveops::plan {
namespace {

template <typename T>
const T* FindNamed(const std::vector<T>& items, std::string_view name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const T& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

const char* SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return "critical";
    case Severity::kHigh:
      return "high";
    case Severity::kMedium:
      return "medium";
    case Severity::kLow:
      return "low";
  }
  return "unknown";
}

Response DefaultResponse(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return {std::chrono::minutes(5)};
    case Severity::kHigh:
      return {std::chrono::minutes(30)};
    case Severity::kMedium:
      return {std::chrono::hours(1)};
    case Severity::kLow:
      return {};
  }
  return {};
}

const char* ComparisonSign(Comparison op) {
  switch (op) {
    case Comparison::kGreater:
      return ">";
    case Comparison::kGreaterEqual:
      return ">=";
    case Comparison::kLess:
      return "<";
    case Comparison::kLessEqual:
      return "<=";
  }
  return "?";
}

bool IsUpward(Comparison op) {
  return op == Comparison::kGreater || op == Comparison::kGreaterEqual;
}

bool Holds(double value, Comparison op, double threshold) {
  switch (op) {
    case Comparison::kGreater:
      return value > threshold;
    case Comparison::kGreaterEqual:
      return value >= threshold;
    case Comparison::kLess:
      return value < threshold;
    case Comparison::kLessEqual:
      return value <= threshold;
  }
  return false;
}

namespace {

constexpr std::int64_t kPanesMax = 30;
constexpr Duration kPaneMin{1000};

// In as many equal panes as there may be, and no rest.
Duration Divided(Duration window, std::int64_t most) {
  std::int64_t panes = std::max<std::int64_t>(std::min({most, kPanesMax, window / kPaneMin}), 1);
  while (window % panes != Duration(0)) --panes;
  return window / panes;
}

}  // namespace

Duration PaneLength(Duration window) { return Divided(window, kPanesMax); }

Duration EarlierPaneLength(Duration window, Duration ago) {
  return Divided(window,
                 kEarlierPanesMax * window.count() / std::max<std::int64_t>(ago.count(), 1));
}

std::string ThresholdUnit(const Test& test) {
  return test.IsCompared() ? std::string("%") : test.measure.unit;
}

std::size_t TestCount(const Condition& condition) { return 1 + condition.more.size(); }

const Test& TestOf(const Condition& condition, std::size_t i) {
  return i == 0 ? condition : condition.more[i - 1];
}

const Owner* Plan::FindOwner(std::string_view name) const { return FindNamed(owners, name); }
const Alarm* Plan::FindAlarm(std::string_view name) const { return FindNamed(alarms, name); }
const Slo* Plan::FindSlo(std::string_view name) const { return FindNamed(slos, name); }

const Alarm* Plan::WorstThatPages() const {
  const Alarm* worst = nullptr;
  for (const Alarm& alarm : alarms) {
    // A worse severity is the lesser.
    if (alarm.page && (worst == nullptr || alarm.severity < worst->severity)) worst = &alarm;
  }
  return worst;
}

std::string Plan::OwnerOfForeign() const {
  if (!foreign_owner.empty()) return foreign_owner;
  if (const Alarm* worst = WorstThatPages()) return worst->owner;
  return owners.empty() ? "" : owners.front().name;
}

}  // namespace liveops::plan
