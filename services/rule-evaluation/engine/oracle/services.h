#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/rule-evaluation/engine/oracle/history.h"
#include "services/rule-evaluation/engine/oracle/random.h"

namespace liveops::engine::oracle {

inline constexpr std::string_view kService = "shop";  // of every history

// Who has which metrics, where rules read several services.
class Services {
 public:
  // A metric that an objective counts is the service's own; each other one may be one of `others`.
  Services(const History& history, const std::vector<std::string>& others, Random& random);
  bool several() const { return !of_.empty(); }
  std::span<const ServiceRead> reads() const { return reads_; }
  std::map<std::string, std::string> Others() const;  // by metric
  const std::string& Of(const HistorySeries& series) const { return of_.at(Base(series.metric)); }
  // The plan with the service of each metric that is another's; likewise a condition.
  std::string Named(const std::string& plan) const;
  std::string NamedIn(const std::string& when) const;

 private:
  // A classic histogram is one metric.
  static std::string Base(const std::string& metric);
  std::map<std::string, std::string> of_;  // by metric
  std::vector<ServiceRead> reads_;
};

}  // namespace liveops::engine::oracle
