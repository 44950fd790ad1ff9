#include <fmt/format.h>

#include <charconv>

#include "common/base/text.h"
#include "common/plan/burn.h"
#include "common/plan/checks.h"
#include "common/plan/plan_reader.h"

namespace liveops::plan {
namespace {

constexpr Duration kDay = std::chrono::hours(24);
constexpr Duration kMonth = 30 * kDay;
// The slow alarm looks three days back: no further than the objective's own period.
constexpr Duration kLeastPeriod = 3 * kDay;

std::optional<double> NumberOf(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

// "99.9%" or "0.999"; rounded once.
std::optional<double> ObjectiveOf(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  const std::string number(Trim(text));
  if (number.empty() || number.find_first_not_of("0123456789.") != std::string::npos) {
    return std::nullopt;
  }
  const auto value = NumberOf(percent ? number + "e-2" : number);
  return value && *value > 0 && *value < 1 ? value : std::nullopt;
}

// One of two: what this tier may be.
Severity SeverityOf(Fields& fields, std::string_view key, Severity usual, Severity other,
                    ProblemList& problems) {
  const YamlNode* node = fields.Scalar(key);
  if (node == nullptr) return usual;
  for (const Severity severity : {usual, other}) {
    if (node->scalar == SeverityName(severity)) return severity;
  }
  problems.Add(*node,
               fmt::format("{} is \"{}\", expected {} or {}", key, Truncate(node->scalar, 40),
                           SeverityName(usual), SeverityName(other)));
  return usual;
}

}  // namespace

void PlanReader::ReadSlos(const YamlNode* node) {
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kList) {
    problems_.Add(*node, fmt::format("slos is {}, expected a list", KindName(node->kind)));
    return;
  }
  for (const YamlNode& item : node->items) ReadSlo(item);
}

void PlanReader::ReadSlo(const YamlNode& node) {
  Fields fields(node, "an objective", problems_);
  if (!fields.valid()) return;
  Slo slo;
  slo.name = ReadName(fields, "objective", slo_offsets_);
  if (const YamlNode* name = fields.Get("name"); name != nullptr && !slo.name.empty()) {
    CheckBurnNames(*name, fields.Get("time_slices") != nullptr);
  }
  slo.over = fields.Time("over", kLeastPeriod, kMonth).value_or(kMonth);
  // The slices first: how many there are says which objectives there may be.
  const YamlNode* slices = fields.Get("time_slices");
  const bool share =
      slices != nullptr ? ReadSlices(fields, *slices, slo) : ReadShare(fields, slo.bad);
  const bool objective = ReadObjective(fields, slo);
  const YamlNode* owner = fields.Scalar("owner", true);
  if (owner != nullptr) slo.owner = owner->scalar;
  const bool known_owner = owner != nullptr && ReadOwnerName(*owner) != nullptr;
  const Severity page = SeverityOf(fields, "page", Severity::kCritical, Severity::kHigh, problems_);
  const Severity ticket =
      SeverityOf(fields, "ticket", Severity::kMedium, Severity::kLow, problems_);
  const auto bad_min = ReadBadMin(fields, slo);
  const std::string runbook = fields.Text("runbook");
  fields.Refuse({{"windows", "windows of its own; they are the same for each objective"},
                 {"burn", "burn rates of its own; they follow from over"},
                 {"by", "an objective for each value of a label; filter the series instead"},
                 {"timeSliceWindow", "OpenSLO's keys; write time_slices: {good: …, window: 1min}"},
                 {"timeSliceTarget", "OpenSLO's keys; what a slice must reach stands in good"},
                 {"calendar", "calendar months; an objective looks back over a rolling time"}});
  fields.Finish();
  if (!objective || !share || slo.name.empty()) return;
  if (slo.slices) slo.bad = BadSlices(slo.name, *slo.slices);
  BurnAlarms alarms = MakeBurnAlarms(slo);
  alarms.fast.severity = page;
  alarms.slow.severity = ticket;
  alarms.budget.runbook = runbook;
  plan_.alarms.push_back(std::move(alarms.budget));
  for (Alarm* alarm : {&alarms.fast, &alarms.slow}) {
    alarm->evidence = Evidence{bad_min, !slo.slices};
    alarm->runbook = runbook;
    if (known_owner) CheckRouting(*alarm, *owner);
    plan_.alarms.push_back(std::move(*alarm));
  }
  plan_.slos.push_back(std::move(slo));
}

// The names of the alarms that the objective makes belong to it, whatever else is wrong with it.
void PlanReader::CheckBurnNames(const YamlNode& name, bool slices) {
  for (const char* suffix : {kFastBurn, kSlowBurn, kBudget, kSliceRule}) {
    if (suffix == kSliceRule && !slices) continue;
    const std::string alarm = name.scalar + suffix;
    if (const std::string fault = NameFault(alarm);
        !fault.empty() && NameFault(name.scalar).empty()) {
      problems_.Add(name, fmt::format("the objective makes the alarm \"{}\": {}",
                                      Truncate(alarm, 60), fault));
      return;
    }
    const auto [first, fresh] = alarm_offsets_.emplace(alarm, name.offset);
    // Two objectives of one name were told already.
    if (!fresh && slo_offsets_.at(name.scalar) == name.offset) {
      problems_.Add(name,
                    fmt::format("the objective makes the alarm \"{}\", which line {} defines too",
                                alarm, problems_.LineOf(first->second)));
    }
  }
}

bool PlanReader::ReadObjective(Fields& fields, Slo& slo) {
  const YamlNode* node = fields.Scalar("objective", true);
  if (node == nullptr) return false;
  const auto objective = ObjectiveOf(node->scalar);
  if (!objective) {
    const bool bare = ObjectiveOf(node->scalar + "%").has_value();
    problems_.Add(*node, fmt::format("objective is \"{}\", expected a share between 0 and 1, such "
                                     "as 99.9% or 0.999{}",
                                     Truncate(node->scalar, 40),
                                     bare ? fmt::format("; did you mean {}%?", node->scalar) : ""));
    return false;
  }
  slo.objective = *objective;
  const std::string fault = BurnFault(slo);
  if (!fault.empty()) problems_.Add(*node, fault);
  return fault.empty();
}

// `time_slices: {good: p95 < 500ms, window: 1min}`.
bool PlanReader::ReadSlices(Fields& fields, const YamlNode& node, Slo& slo) {
  bool alone = true;
  for (const char* key : {"good", "bad", "total"}) {
    if (const YamlNode* events = fields.Get(key)) {
      problems_.Add(*events,
                    fmt::format("\"{}\" stands beside \"time_slices\": an objective counts "
                                "events, or slices of time",
                                key));
      alone = false;
    }
  }
  Fields own(node, "time_slices", problems_);
  if (!own.valid()) return false;
  const YamlNode* length = own.Scalar("window");
  TimeSlices slices;
  slices.window =
      own.Time("window", TimeSlices::kLeast, TimeSlices::kMost)
          .value_or(length == nullptr ? Duration(std::chrono::minutes(1)) : Duration(0));
  const YamlNode* good = own.Scalar("good", true);
  own.Refuse({{"bad", "a condition of bad slices; write when one is good"},
              {"min_count", "a least number of events in a slice"}});
  own.Finish();
  if (slices.window > Duration(0) && std::chrono::hours(1) % slices.window != Duration(0)) {
    problems_.Add(*length,
                  fmt::format("window is {}, of which an hour is no whole number; expected "
                              "such as 10s, 1min or 5min",
                              FormatDuration(slices.window)));
    slices.window = Duration(0);
  }
  if (good == nullptr || slices.window == Duration(0)) return false;
  if (!ReadGoodSlice(*good, slices)) return false;
  slo.slices = std::move(slices);
  return alone;
}

// One value of the whole service at the end of each slice, over the slice.
bool PlanReader::ReadGoodSlice(const YamlNode& node, TimeSlices& slices) {
  auto parsed = ParseExpression(node.scalar, &bindings_, slices.window);
  if (!parsed.value) {
    if (!parsed.error.message.empty()) {
      problems_.AddInside(node, parsed.error.offset, parsed.error.message);
    }
    return false;
  }
  const Condition& good = *parsed.value;
  const auto refuse = [&](std::string message) {
    problems_.Add(node, std::move(message));
    return false;
  };
  if (good.hold > Duration(0) || good.quorum.needed > 0) {
    return refuse("a slice is good or bad as a whole: expected a condition without for");
  }
  for (std::size_t i = 0; i < TestCount(good); ++i) {
    const Test& test = TestOf(good, i);
    if (!test.by.empty())
      return refuse("a slice is one of the whole service: by cannot be run here");
    if (test.IsCompared()) return refuse("a slice cannot be compared with an earlier time yet");
    for (const Operand& operand : test.measure.operands) {
      if (!operand.service.empty()) return refuse("a slice cannot read another service yet");
    }
    if (test.measure.form == Measure::Form::kReporters) {
      return refuse("a slice cannot count who reports yet");
    }
    if (test.window != slices.window) {
      return refuse(fmt::format("the condition looks at {}, expected the slice's {}, or no over",
                                FormatDuration(test.window), FormatDuration(slices.window)));
    }
  }
  slices.good = std::move(*parsed.value);
  return true;
}

// More than the shortest window holds could never fire.
std::uint64_t PlanReader::ReadBadMin(Fields& fields, const Slo& slo) {
  const auto said = fields.Whole("min_bad", 1, 1'000'000'000);
  if (!slo.slices) return static_cast<std::uint64_t>(said.value_or(10));
  if (said && *said > SlicesInShortest(*slo.slices)) {
    problems_.Add(*fields.Get("min_bad"),
                  fmt::format("min_bad is {}, but the shortest window of the alarms holds {} {} of "
                              "{}: they could never fire",
                              *said, SlicesInShortest(*slo.slices),
                              SlicesInShortest(*slo.slices) == 1 ? "slice" : "slices",
                              FormatDuration(slo.slices->window)));
  }
  return said ? static_cast<std::uint64_t>(*said) : UsualBadSlices(*slo.slices);
}

// `bad` and `total`, or `good` and `total`.
bool PlanReader::ReadShare(Fields& fields, Measure& share) {
  const YamlNode* good = fields.Scalar("good");
  const YamlNode* bad = fields.Scalar("bad");
  const YamlNode* total = fields.Scalar("total", true);
  share.operands.resize(2);
  const bool whole = total != nullptr && ReadEvents(*total, share.operands[1]);
  share.unit = std::string("1");
  bool part = false;
  if (good != nullptr && bad != nullptr) {
    problems_.Add(*bad, "\"bad\" stands beside \"good\"; one of them says what the other is");
  } else if (bad != nullptr) {
    share.form = Measure::Form::kRatio;
    part = ReadEvents(*bad, share.operands[0]);
  } else if (good != nullptr) {
    part = ReadGood(*good, whole ? &share.operands[1] : nullptr, share);
  } else if (fields.node().Find("good") == nullptr && fields.node().Find("bad") == nullptr) {
    problems_.Add(fields.node(),
                  "expected good or bad: the series of the events that count as such");
  } else {
    fields.Require(fields.node().Find("good") != nullptr ? "good" : "bad");
  }
  for (Operand& operand : share.operands) operand.aggregate = Aggregate::kIncrease;
  return whole && part;
}

bool PlanReader::ReadEvents(const YamlNode& node, Operand& series) {
  auto parsed = ParseSeries(node.scalar, &bindings_);
  if (parsed.value && parsed.value->service.empty()) {
    series = std::move(*parsed.value);
    return true;
  }
  if (parsed.value) {
    problems_.AddInside(node, 0, ForeignEventsFault(*parsed.value));
  } else if (!parsed.error.message.empty()) {
    problems_.AddInside(node, parsed.error.offset, parsed.error.message);
  }
  return false;
}

// `total` is what the key says, where it could be read.
bool PlanReader::ReadGood(const YamlNode& node, const Operand* total, Measure& share) {
  auto parsed = ParseGoodEvents(node.scalar, &bindings_);
  if (!parsed.value) {
    if (!parsed.error.message.empty()) {
      problems_.AddInside(node, parsed.error.offset, parsed.error.message);
    }
    return false;
  }
  GoodEvents& good = *parsed.value;
  if (!good.without) {
    share.form = Measure::Form::kShortfall;
    share.operands[0] = std::move(good.series);
    return true;
  }
  const bool same = total == nullptr ||
                    (good.series.metric == total->metric && good.series.matches == total->matches);
  if (!same) {
    problems_.AddInside(node, good.series_offset,
                        fmt::format("found {}, expected the same series as in total, {}: the good "
                                    "events are all but the bad ones",
                                    good.series.metric, total->metric));
    return false;
  }
  share.form = Measure::Form::kRatio;
  share.operands[0] = std::move(*good.without);
  return true;
}

}  // namespace liveops::plan
