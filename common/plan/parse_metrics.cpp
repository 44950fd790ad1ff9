#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/plan/plan_reader.h"

namespace liveops::plan {
namespace {

// The keys that say what a name is; exactly one stands in each definition.
struct Shape {
  std::string_view key;
  Binding::Kind kind;
  Aggregate aggregate;
};

constexpr Shape kShapes[] = {
    {"metric", Binding::Kind::kMetric, Aggregate::kLast},
    {"distribution", Binding::Kind::kDistribution, Aggregate::kQuantile},
    {"ratio", Binding::Kind::kMeasure, Aggregate::kIncrease},
    {"shortfall", Binding::Kind::kMeasure, Aggregate::kIncrease},
    {"rate", Binding::Kind::kMeasure, Aggregate::kRate},
    {"increase", Binding::Kind::kMeasure, Aggregate::kIncrease},
    {"count", Binding::Kind::kMeasure, Aggregate::kCount},
    {"sum", Binding::Kind::kMeasure, Aggregate::kSum},
    {"avg", Binding::Kind::kMeasure, Aggregate::kAvg},
    {"min", Binding::Kind::kMeasure, Aggregate::kMin},
    {"max", Binding::Kind::kMeasure, Aggregate::kMax},
    {"last", Binding::Kind::kMeasure, Aggregate::kLast},
    {"stddev", Binding::Kind::kMeasure, Aggregate::kStddev},
};

// Of two series: what part of the second is the first, or is missing in it.
std::optional<Measure::Form> PairForm(std::string_view key) {
  if (key == "ratio") return Measure::Form::kRatio;
  if (key == "shortfall") return Measure::Form::kShortfall;
  return std::nullopt;
}

class BindingReader {
 public:
  BindingReader(const std::string& name, const YamlNode& node, ProblemList& problems)
      : fields_(node, fmt::format("metrics: \"{}\"", name), problems), problems_(problems) {}

  // Whether the definition holds enough to be used; what is wrong with it is told either way.
  bool Read(Binding& binding, bool& is_default) {
    if (!fields_.valid()) return false;
    const YamlNode* series = nullptr;
    const Shape* shape = FindShape(series);
    bool good = shape != nullptr;
    if (good) {
      binding.kind = shape->kind;
      const auto form = PairForm(shape->key);
      good = form ? ReadPair(*series, *form, binding.measure)
                  : ReadSeriesNode(*series, binding.measure.value());
      binding.measure.value().aggregate = shape->aggregate;
      ReadModifiers(*shape, binding, is_default);
      fields_.Finish();
    }
    return good;
  }

 private:
  const Shape* FindShape(const YamlNode*& series) {
    const Shape* found = nullptr;
    for (const Shape& shape : kShapes) {
      const YamlNode* node = fields_.Get(shape.key);
      if (node == nullptr) continue;
      if (found != nullptr) {
        problems_.Add(*node, fmt::format("\"{}\" stands beside \"{}\"; a name is one of them",
                                         shape.key, found->key));
        continue;
      }
      found = &shape;
      series = node;
    }
    if (found == nullptr) {
      problems_.Add(fields_.node(),
                    "expected one of metric, distribution, ratio, shortfall, rate, increase, "
                    "count, sum, avg, "
                    "min, max, last, stddev");
    }
    return found;
  }

  bool ReadSeriesNode(const YamlNode& node, Operand& operand) {
    if (node.kind != YamlNode::Kind::kScalar) {
      problems_.Add(node, fmt::format("found {}, expected a metric", KindName(node.kind)));
      return false;
    }
    auto parsed = ParseSeries(node.scalar);
    if (!parsed.value) {
      problems_.AddInside(node, parsed.error.offset, parsed.error.message);
      return false;
    }
    operand = std::move(*parsed.value);
    return true;
  }

  bool ReadPair(const YamlNode& node, Measure::Form form, Measure& measure) {
    if (node.kind != YamlNode::Kind::kList || node.items.size() != 2) {
      problems_.Add(node, form == Measure::Form::kRatio
                              ? "ratio takes a list of two metrics: [part, whole]"
                              : "shortfall takes a list of two metrics: [good, total]");
      return false;
    }
    measure.form = form;
    measure.operands.resize(2);
    const bool first = ReadSeriesNode(node.items[0], measure.operands[0]);
    const bool second = ReadSeriesNode(node.items[1], measure.operands[1]);
    for (Operand& operand : measure.operands) operand.aggregate = Aggregate::kIncrease;
    return first && second;
  }

  void ReadModifiers(const Shape& shape, Binding& binding, bool& is_default) {
    Measure& measure = binding.measure;
    if (shape.aggregate == Aggregate::kRate) {
      measure.value().per = Duration(1000);
      if (const YamlNode* per = fields_.Scalar("per")) {
        if (const auto time = ParsePer(per->scalar)) {
          measure.value().per = *time;
        } else {
          problems_.Add(*per,
                        fmt::format("per is \"{}\", expected a length of time: s, min, h, 5min",
                                    Truncate(per->scalar, 40)));
        }
      }
    }
    if (shape.key == "distribution") {
      is_default = fields_.Flag("default").value_or(false);
    } else if (!PairForm(shape.key)) {
      measure.capacity = fields_.PositiveNumber("capacity").value_or(0);
    }
    if (PairForm(shape.key)) return;
    if (const YamlNode* unit = fields_.Scalar("unit")) ReadUnit(*unit, measure);
    if (shape.aggregate == Aggregate::kCount)
      measure.unit =
          std::string("1");  // not assigned as a literal: g++ 12 warns of it in vain (PR 105329)
  }

  void ReadUnit(const YamlNode& node, Measure& measure) {
    const std::string& unit = node.scalar;
    const bool good =
        unit == "1" || (unit.size() <= 32 && (unit[0] < '0' || unit[0] > '9') &&
                        unit.find_first_of(" \t\n(){}[],<>=!\"'.-") == std::string::npos);
    if (good) {
      measure.unit = unit;
    } else {
      problems_.Add(node, "a unit is one word, such as ms, s, %, By, connections");
    }
  }

  Fields fields_;
  ProblemList& problems_;
};

// One metric is in one unit, whatever names it has.
void CheckUnits(const YamlNode& metrics, const Bindings& bindings, ProblemList& problems) {
  // metric and its service -> unit, name
  std::map<std::pair<std::string, std::string>, std::pair<std::string, std::string>> units;
  for (const auto& [key, node] : metrics.entries) {
    const auto found = bindings.names.find(key.scalar);
    if (found == bindings.names.end()) continue;
    const Measure& measure = found->second.measure;
    if (measure.unit.empty() || measure.IsRatio() || measure.value().aggregate == Aggregate::kCount)
      continue;
    const auto [first, fresh] =
        units.emplace(std::pair(measure.value().metric, measure.value().service),
                      std::pair(measure.unit, key.scalar));
    if (!fresh && first->second.first != measure.unit) {
      const YamlNode* unit = node.Find("unit");
      problems.Add(unit == nullptr ? node : *unit,
                   fmt::format("{} is in {} here and in {} under \"{}\"; a metric has one unit",
                               measure.value().metric, measure.unit, first->second.first,
                               first->second.second));
    }
  }
}

}  // namespace

Bindings ReadBindings(const YamlNode& metrics, ProblemList& problems) {
  Bindings bindings;
  if (metrics.kind != YamlNode::Kind::kMap) {
    problems.Add(metrics,
                 fmt::format("metrics is {}, expected a mapping of names", KindName(metrics.kind)));
    return bindings;
  }
  for (const auto& [key, node] : metrics.entries) {
    const std::string& name = key.scalar;
    if (const std::string fault = AliasFault(name); !fault.empty()) {
      problems.Add(key, fmt::format("\"{}\" cannot be a name: {}", Truncate(name, 60), fault));
      continue;
    }
    Binding binding;
    bool is_default = false;
    if (!BindingReader(name, node, problems).Read(binding, is_default)) {
      // A name that is there, if broken: what uses it is not told as unknown too.
      bindings.broken.insert(name);
      continue;
    }
    if (is_default && !bindings.default_distribution.empty()) {
      problems.Add(key, fmt::format("\"{}\" and \"{}\" are both default; one distribution can be",
                                    name, bindings.default_distribution));
    } else if (is_default) {
      bindings.default_distribution = name;
    }
    bindings.names.emplace(name, std::move(binding));
  }
  CheckUnits(metrics, bindings, problems);
  return bindings;
}

}  // namespace liveops::plan
