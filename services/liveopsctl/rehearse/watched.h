#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/plan/model.h"
#include "services/rule-evaluation/engine/transition.h"

// What a plan watches, as far as a rehearsal asks. Pure.
namespace liveops::rehearse {

// The name of a metric of another service that the plan reads, as the language writes it:
// `charge_count{service="payments"}`.
std::string SeenAs(std::string_view service, std::string_view metric);

// An alarm, or the condition of a remediation (`scenario:NAME`).
struct Watched {
  std::string name;
  engine::Purpose purpose = engine::Purpose::kPage;
  std::vector<std::string> metrics;  // that its condition reads, each once, sorted
  std::vector<std::string> seen_as;  // the same, those of other services by SeenAs
  std::vector<std::string> units;    // of its tests
  Duration window{0};                // the longest of its tests
};

class Watchlist {
 public:
  explicit Watchlist(const plan::Plan& plan);

  const std::vector<Watched>& all() const { return all_; }  // in the plan's order
  const Watched* Find(std::string_view name) const;
  std::vector<std::string> names() const;
  std::span<const std::string> metrics() const { return metrics_; }  // of all, each once, sorted
  bool Reads(std::string_view seen_as) const;
  // The plan's own and those that its rules read, sorted.
  std::span<const std::string> services() const { return services_; }
  const std::vector<std::string>& owners() const { return owners_; }  // that the plan names

  // But for those over which error budgets are counted: of these it is told what is known.
  Duration longest_window() const { return longest_window_; }
  // How long the plan must have been in force for all of its windows to be wholly known.
  Duration settled() const { return settled_; }
  // How long after its end the last window is judged, at most.
  Duration lateness() const { return lateness_; }

 private:
  void Add(std::string name, engine::Purpose purpose, const plan::Condition& condition,
           bool awaited);

  std::vector<Watched> all_;
  std::vector<std::string> metrics_;
  std::vector<std::string> services_;
  std::vector<std::string> owners_;
  Duration longest_window_{0};
  Duration settled_{0};
  Duration lateness_{2'000};  // that of points from a native emitter
};

}  // namespace liveops::rehearse
