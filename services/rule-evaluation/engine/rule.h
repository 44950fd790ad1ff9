#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/labels.h"
#include "common/plan/model.h"
#include "common/sketch/panes.h"
#include "common/sketch/sketch.h"
#include "services/rule-evaluation/engine/life.h"
#include "services/rule-evaluation/engine/series.h"
#include "services/rule-evaluation/engine/transition.h"

namespace liveops::engine {

// How the points of a series of some kind are kept for an aggregate.
enum class Cell : std::uint8_t {
  kNone,          // they do not fit together (a rate of a gauge)
  kCounter,       // per series: increases, and the time that they cover
  kGauge,         // per series: readings
  kDistribution,  // per group: observations
};
Cell CellFor(plan::Aggregate aggregate, SeriesKind kind);

// What a pane of a counter or a gauge keeps. Meaning by cell and aggregate:
//   counter:             a = increase, b = ms of it that the series' points cover, c = increase
//   that covers no known time gauge, last:         a = reading, b = its time gauge, avg:          a
//   = sum, b = readings gauge, min, max:     a = reading, b = readings gauge, sum, count:   a =
//   newest reading, b = its time, c = readings
struct CellPane {
  double a = 0;
  double b = 0;
  double c = 0;
};

// One series in one group, for one of the rule's operands (0 the value, 1 the denominator).
struct Member {
  std::uint32_t series = 0;
  std::uint8_t operand = 0;
  Cell cell = Cell::kNone;
  double factor = 1;                   // from the series' unit to the measure's
  std::int64_t newest_ms = INT64_MIN;  // time of the newest accepted point; INT64_MIN = none
  double newest = 0;                   // its increase or reading
  double newest_cover_ms = 0;          // a counter's: the time that the newest point covers
  sketch::Panes<CellPane> panes;
};

// A judged unit of a rule: the series with equal `by` labels.
struct Group {
  std::uint64_t number = 0;  // by age, in the whole shard
  std::string key;           // encoded labels
  Labels labels;
  std::vector<Member> members;
  std::array<sketch::Panes<sketch::Sketch>, 2> distributions;
  std::vector<double> bounds;  // of the newest explicit histogram, for the bounds of a quantile
  Life life;
  Judgement last;  // as it was last judged with a result, for people

  // What the record at hand brought; void unless touched == its offset.
  std::int64_t touched = -1;
  std::int64_t touched_from_ms = 0;
  std::int64_t touched_to_ms = 0;
  std::uint8_t touched_operands = 0;

  bool active = false;  // is judged at each pane's end

  std::int64_t taken_over_ms = 0;  // clock when its life was taken over from the log
  std::int64_t silence_ms = 0;  // taken over from other windows: so long its series may be silent

  // For TakeChanged; no part of the state.
  bool changed = true;
  Instant told{};
};

struct Probe {
  std::string id;
  std::string expression;  // as asked
  Instant started{};
  Duration within{0};
};

struct RuleSpec {
  std::string name;  // of the alarm: "latency-critical", "scenario:api-error-surge", "probe:<id>"
  Purpose purpose = Purpose::kPage;
  plan::Condition when;
  std::optional<plan::Clear> clear;
  plan::Severity severity = plan::Severity::kMedium;
  std::string owner;
  plan::NoData no_data = plan::NoData::kKeep;
  double min_count = 20;
  std::string summary;
  std::string runbook;
  std::string expression;                           // canonical
  std::array<std::optional<Duration>, 2> lateness;  // where the plan says so, by operand
};

struct ByNumber {
  bool operator()(const Group* a, const Group* b) const { return a->number < b->number; }
};

// One condition in force, with its windows and the life of each of its groups.
struct Rule {
  RuleSpec spec;
  std::optional<Probe> probe;
  std::uint64_t number = 0;  // by age, in the whole shard
  std::uint32_t service = 0;
  std::int64_t pane_ms = 1000;
  std::int64_t panes = 60;       // in a window
  std::int64_t lateness_ms = 0;  // domain; never shrinks
  std::int64_t judged = 0;       // the last pane at whose end was judged
  std::int64_t born_ms = 0;      // the windows hold what came after
  bool seen = false;             // a point since the activation
  bool negatives = false;        // sums may fall: more data can undo
  std::map<std::string, std::unique_ptr<Group>, std::less<>> groups;

  // Derived, not part of the state.
  std::set<Group*, ByNumber> active;
  std::unordered_map<std::uint64_t, std::pair<Group*, std::uint32_t>> members;  // never iterated
  std::int64_t due_ms = 0;  // partition clock at which the next pane is judged
  bool changed = true;      // its placeholder view did
  bool placeholder_told = false;

  std::int64_t window_ms() const { return spec.when.window.count(); }
  std::int64_t judged_ms() const { return judged * pane_ms; }
  const plan::Operand& operand(int i) const {
    return i == 0 ? spec.when.measure.value : *spec.when.measure.denominator;
  }
  // The operand without whose data there is no value.
  std::uint8_t primary() const { return spec.when.measure.denominator ? 1 : 0; }
  LifeRules life_rules() const {
    return {spec.when.op, spec.when.hold, spec.clear ? &*spec.clear : nullptr};
  }
  static std::uint64_t MemberKey(std::uint32_t series, std::uint8_t operand) {
    return (std::uint64_t{series} << 1) | operand;
  }
};

// The rules that a plan makes: its alarms, then the conditions of its remediations, in its order.
std::vector<RuleSpec> SpecsOf(const plan::Plan& plan);
std::unique_ptr<Rule> MakeRule(RuleSpec spec, std::uint64_t number, std::uint32_t service);

// Equal windows: what one kept serves the other.
bool SameWindows(const plan::Condition& a, const plan::Condition& b);

bool Matches(const plan::Operand& operand, std::string_view metric, const Labels& labels);
// The labels named by `by`; one that is missing is empty.
Labels GroupLabels(const std::vector<std::string>& by, const Labels& labels);

}  // namespace liveops::engine
