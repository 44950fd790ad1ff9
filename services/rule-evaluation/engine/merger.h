#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/rule-evaluation/engine/merged.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {

// Puts together what the sources said of a step.
class Merger {
 public:
  Merger(State& s, Rule& rule, std::int64_t step);

  void Add(std::int32_t source, const Home::Told& told);
  // A source says nothing of it.
  void Untold();
  // Makes the groups that there now are.
  MergedStep Merge();

 private:
  struct Part {
    std::int32_t source = 0;
    StepReading reading;
  };
  using Readings = std::vector<std::pair<std::int32_t, const StoreReading*>>;
  void AddRule(const RuleReading& reading);
  void MergeShared();
  void MergeGroup(const std::string& key,
                  const std::vector<std::pair<std::int32_t, const GroupReading*>>& readings);
  Group* GroupOf(const std::string& key,
                 const std::vector<std::pair<std::int32_t, const GroupReading*>>& readings);
  // Did a group that left have them? Then what it read before is not known of.
  bool BeforeDeparture(const std::string& key, std::size_t store) const;

  State& s_;
  Rule& rule_;
  const std::int64_t end_ms_;
  std::vector<Part> parts_;
  std::set<std::uint64_t> refused_;
  MergedStep out_;
};

}  // namespace liveops::engine
