#include "integration-tests/benchmarks/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace liveops::bench {

void Report::Add(Figure figure) { figures_.push_back(std::move(figure)); }

std::string Report::Table() const {
  std::string out = fmt::format("{:<32} {:>12} {:<8} {:>10}\n", "figure", "value", "unit", "limit");
  for (const Figure& f : figures_) {
    const bool kept = f.limit == 0 || (f.lower_is_better ? f.value <= f.limit : f.value >= f.limit);
    out += fmt::format("{:<32} {:>12.4g} {:<8} {:>10} {}\n", f.name, f.value, f.unit,
                       f.limit == 0 ? std::string("-") : fmt::format("{:g}", f.limit),
                       f.limit == 0 ? "" : (kept ? "kept" : "MISSED"));
  }
  return out;
}

std::string Report::Json() const {
  std::string out = "[\n";
  for (std::size_t i = 0; i < figures_.size(); ++i) {
    const Figure& f = figures_[i];
    out += fmt::format(
        "  {{\"name\": \"{}\", \"value\": {:.6g}, \"unit\": \"{}\", \"better\": \"{}\"}}{}\n",
        f.name, f.value, f.unit, f.lower_is_better ? "lower" : "higher",
        i + 1 < figures_.size() ? "," : "");
  }
  return out + "]\n";
}

double Percentile(std::vector<double> samples, double fraction) {
  if (samples.empty()) return std::nan("");
  std::sort(samples.begin(), samples.end());
  const double rank = std::ceil(fraction * static_cast<double>(samples.size()));
  return samples[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
}

double Median(std::vector<double> samples) { return Percentile(std::move(samples), 0.5); }

void Say(const std::string& line) { std::fprintf(stderr, "  bench  %s\n", line.c_str()); }

}  // namespace liveops::bench
