#include "common/telemetry/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.h"

namespace liveops::metrics {
namespace {

const char* TypeName(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
  }
  return "untyped";
}

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string Escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : ScrubUtf8(text)) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quotes && c == '"')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

// `{a="b",le="1"}`; "" when there is none.
std::string Braced(const Labels& labels, std::string_view le = "") {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view value) {
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, Escaped(value, true));
  };
  for (const auto& [name, value] : labels) add(name, value);
  if (!le.empty()) add("le", le);
  return out.empty() ? out : "{" + out + "}";
}

void AddHistogram(const Metric& metric, std::string& out) {
  const Distribution& d = metric.distribution;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < d.counts.size(); ++i) {
    below += d.counts[i];
    const std::string le = i < d.bounds.size() ? Number(d.bounds[i]) : "+Inf";
    out += fmt::format("{}_bucket{} {}\n", metric.name, Braced(metric.labels, le), below);
  }
  out += fmt::format("{}_sum{} {}\n", metric.name, Braced(metric.labels), Number(d.sum));
  out += fmt::format("{}_count{} {}\n", metric.name, Braced(metric.labels), below);
}

void AddSeries(const Metric& metric, std::string& out) {
  if (metric.kind == Kind::kHistogram) return AddHistogram(metric, out);
  out += fmt::format("{}{} {}\n", metric.name, Braced(metric.labels), Number(metric.value));
}

}  // namespace

void List::Counter(std::string_view name, std::string_view help, double value,
                   std::string_view status, Labels labels) {
  all_.push_back({Kind::kCounter,
                  prefix_ + std::string(name),
                  std::string(help),
                  std::string(status),
                  std::move(labels),
                  value,
                  {}});
}

void List::Gauge(std::string_view name, std::string_view help, double value,
                 std::string_view status, Labels labels) {
  all_.push_back({Kind::kGauge,
                  prefix_ + std::string(name),
                  std::string(help),
                  std::string(status),
                  std::move(labels),
                  value,
                  {}});
}

void List::Histogram(std::string_view name, std::string_view help, Distribution distribution,
                     Labels labels) {
  all_.push_back({Kind::kHistogram, prefix_ + std::string(name), std::string(help), "",
                  std::move(labels), 0, std::move(distribution)});
}

std::map<std::string, double> List::ForStatus() const {
  std::map<std::string, double> out;
  for (const Metric& metric : all_) {
    if (!metric.status.empty()) out[metric.status] += metric.value;
  }
  return out;
}

std::string ToText(std::span<const List> lists) {
  struct Family {
    const Metric* first = nullptr;
    std::string series;
  };
  std::vector<Family> families;  // in the order in which they first stand
  std::map<std::string_view, std::size_t> places;
  for (const List& list : lists) {
    for (const Metric& metric : list.all()) {
      const auto [place, fresh] = places.try_emplace(metric.name, families.size());
      if (fresh) families.push_back({&metric, ""});
      AddSeries(metric, families[place->second].series);
    }
  }
  std::string out;
  for (const Family& family : families) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family.first->name,
                       Escaped(family.first->help, false), family.first->name,
                       TypeName(family.first->kind));
    out += family.series;
  }
  return out;
}

void Seconds::Observe(double seconds) {
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(seconds, std::memory_order_relaxed);
}

Distribution Seconds::Read() const {
  Distribution out;
  out.bounds.assign(kBounds.begin(), kBounds.end());
  for (const auto& count : counts_) out.counts.push_back(count.load(std::memory_order_relaxed));
  out.sum = sum_.load(std::memory_order_relaxed);
  return out;
}

}  // namespace liveops::metrics
