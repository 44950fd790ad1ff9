#include "services/rule-evaluation/engine/oracle/services.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <utility>

namespace liveops::engine::oracle {

std::string Services::Base(const std::string& metric) {
  return metric.ends_with("_bucket") ? metric.substr(0, metric.size() - 7) : metric;
}

Services::Services(const History& history, const std::vector<std::string>& others, Random& random) {
  if (others.empty()) return;
  for (const HistorySeries& series : history.series) {
    const std::string metric = Base(series.metric);
    if (of_.contains(metric)) continue;
    const bool own = history.objective.find(metric) != std::string::npos || random.Chance(35);
    of_[metric] = own ? std::string(kService) : random.Of(others);
    if (!own) reads_.push_back({of_[metric], 1, {}});
  }
  std::sort(reads_.begin(), reads_.end(),
            [](const auto& a, const auto& b) { return a.service < b.service; });
  reads_.erase(std::unique(reads_.begin(), reads_.end()), reads_.end());
}

std::map<std::string, std::string> Services::Others() const {
  std::map<std::string, std::string> others = of_;
  std::erase_if(others, [](const auto& entry) { return entry.second == kService; });
  return others;
}

std::string Services::Named(const std::string& plan) const {
  static constexpr std::string_view kWhen = "when: '";
  std::string out;
  std::size_t from = 0;
  while (true) {
    std::size_t begin = plan.find(kWhen, from);
    if (begin == std::string::npos) return out + plan.substr(from);
    begin += kWhen.size();
    const std::size_t end = plan.find('\'', begin);
    out += plan.substr(from, begin - from) + NamedIn(plan.substr(begin, end - begin));
    from = end;
  }
}

std::string Services::NamedIn(const std::string& when) const {
  static const std::regex kWord("[a-z][a-z0-9_]*[{]?");
  std::string out;
  std::size_t copied = 0;
  for (std::sregex_iterator it(when.begin(), when.end(), kWord), none; it != none; ++it) {
    std::string word = it->str();
    const bool filtered = word.back() == '{';
    if (filtered) word.pop_back();
    const auto of = of_.find(word);
    if (of == of_.end() || of->second == kService) continue;
    const auto at = static_cast<std::size_t>(it->position());
    out += when.substr(copied, at - copied) +
           fmt::format("{}{{service=\"{}\"{}", word, of->second, filtered ? ", " : "}");
    copied = at + static_cast<std::size_t>(it->length());
  }
  return out + when.substr(copied);
}

}  // namespace liveops::engine::oracle
