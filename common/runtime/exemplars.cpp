#include "common/runtime/exemplars.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <span>
#include <string_view>

#include "common/base/hash.h"
#include "common/plan/expression.h"

namespace liveops::runtime {
namespace {

// The clocks of honest hosts are not further apart than this.
constexpr std::int64_t kAheadMs = 10'000;
constexpr std::string_view kBucketEnd = "_bucket";
constexpr std::string_view kBoundLabel = "le";

std::string_view LabelOf(const v1::Exemplar& exemplar, std::string_view name) {
  for (const v1::LogAttribute& label : exemplar.labels()) {
    if (label.name() == name) return label.value();
  }
  return {};  // a label that a series does not have is empty
}

// Of a classic histogram of Prometheus': exemplars stand at its buckets, and are observations of
// its count and its sum, too.
bool IsOfMetric(const v1::Exemplar& exemplar, std::string_view metric) {
  if (metric == exemplar.metric()) return true;
  std::string_view base = exemplar.metric();
  if (!base.ends_with(kBucketEnd)) return false;
  base.remove_suffix(kBucketEnd.size());
  return metric.starts_with(base) &&
         (metric.substr(base.size()) == "_count" || metric.substr(base.size()) == "_sum");
}

// Its bucket up to `bound` holds what is no more than that.
bool IsInBucket(const v1::Exemplar& exemplar, const std::string& bound) {
  if (bound == "+Inf") return true;
  double most = 0;
  const char* const end = bound.data() + bound.size();
  const auto [stop, error] = std::from_chars(bound.data(), end, most);
  return error == std::errc() && stop == end && exemplar.value() <= most;
}

bool Matches(const v1::Exemplar& exemplar, const std::string& name, const std::string& value) {
  if (name == kBoundLabel && std::string_view(exemplar.metric()).ends_with(kBucketEnd))
    return IsInBucket(exemplar, value);
  return LabelOf(exemplar, name) == value;
}

bool Reads(const plan::Operand& operand, const v1::Exemplar& exemplar) {
  if (!IsOfMetric(exemplar, operand.metric) || !operand.service.empty()) return false;
  return std::all_of(operand.matches.begin(), operand.matches.end(), [&](const auto& match) {
    return Matches(exemplar, match.name, match.value) != match.negate;
  });
}

bool Shows(const plan::Measure& measure, const v1::Exemplar& exemplar) {
  const std::vector<plan::Operand>& operands = measure.operands;
  switch (measure.form) {
    case plan::Measure::Form::kRatio:
      return Reads(operands[0], exemplar);
    case plan::Measure::Form::kShortfall:
      return Reads(operands[1], exemplar) && !Reads(operands[0], exemplar);
    default:
      return std::any_of(operands.begin(), operands.end(),
                         [&](const plan::Operand& operand) { return Reads(operand, exemplar); });
  }
}

std::string HexOf(const std::string& id) {
  return Hex(std::span(reinterpret_cast<const std::uint8_t*>(id.data()), id.size()));
}

bool OfGroup(const v1::AlarmTransition& alarm, const v1::Exemplar& exemplar) {
  return std::all_of(alarm.group().begin(), alarm.group().end(), [&](const v1::Label& label) {
    return LabelOf(exemplar, label.name()) == label.value();
  });
}

}  // namespace

std::int64_t ExemplarsFrom(const v1::AlarmTransition& alarm) {
  const auto hold = static_cast<std::int64_t>(alarm.hold_ms());
  const std::int64_t since = alarm.since_ms() > 0 ? alarm.since_ms() : alarm.clock_ms() - hold;
  return since - static_cast<std::int64_t>(alarm.window_ms());
}

std::int64_t ExemplarsUntil(const v1::AlarmTransition& alarm) {
  return alarm.clock_ms() + kAheadMs;
}

std::vector<v1::Exemplar> TellingExemplars(const v1::AlarmTransition& alarm,
                                           std::vector<v1::Exemplar> all, std::size_t most) {
  if (alarm.state() != v1::ALARM_STATE_FIRING || !alarm.origin().empty()) return {};
  const plan::Parsed<plan::Condition> condition =
      plan::ParseExpression(alarm.expression(), nullptr);
  if (!condition.value) return {};
  const std::int64_t from = ExemplarsFrom(alarm);
  const std::int64_t until = ExemplarsUntil(alarm);
  std::erase_if(all, [&](const v1::Exemplar& e) {
    return e.time_ms() <= from || e.time_ms() > until || !OfGroup(alarm, e);
  });
  std::stable_sort(all.begin(), all.end(), [](const v1::Exemplar& a, const v1::Exemplar& b) {
    return a.value() > b.value();
  });
  // The first test says what the alarm is about; the others are looked at when nothing shows it.
  for (std::size_t i = 0; i < plan::TestCount(*condition.value); ++i) {
    const plan::Test& test = plan::TestOf(*condition.value, i);
    if (!plan::IsUpward(test.op)) continue;  // of what is missing there is no trace
    std::vector<v1::Exemplar> out;
    std::set<std::string> traces;
    for (const v1::Exemplar& exemplar : all) {
      if (out.size() == most) break;
      if (!Shows(test.measure, exemplar) || !traces.insert(exemplar.trace_id()).second) continue;
      out.push_back(exemplar);
    }
    if (!out.empty()) return out;
  }
  return {};
}

Labels LabelsOf(const v1::Exemplar& exemplar) {
  Labels labels;
  for (const v1::LogAttribute& label : exemplar.labels()) labels.Set(label.name(), label.value());
  return labels;
}

std::string OperationOf(const v1::Exemplar& exemplar) {
  for (const char* name : {"span.name", "rpc.method", "messaging.destination.name"}) {
    if (const std::string_view found = LabelOf(exemplar, name); !found.empty())
      return std::string(found);
  }
  if (const std::string_view route = LabelOf(exemplar, "http.route"); !route.empty()) {
    const std::string_view method = LabelOf(exemplar, "http.request.method");
    return (method.empty() ? "" : std::string(method) + " ") + std::string(route);
  }
  return LabelsOf(exemplar).ToString();
}

std::string TraceIdOf(const v1::Exemplar& exemplar) { return HexOf(exemplar.trace_id()); }
std::string SpanIdOf(const v1::Exemplar& exemplar) { return HexOf(exemplar.span_id()); }

bool HasFailed(const v1::Exemplar& exemplar) {
  if (LabelOf(exemplar, "status.code") == "STATUS_CODE_ERROR") return true;
  const std::string_view status = LabelOf(exemplar, "http.response.status_code");
  return status.size() == 3 && status.front() == '5';
}

}  // namespace liveops::runtime
