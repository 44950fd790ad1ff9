#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "services/ingest/admit/admit.h"
#include "services/ingest/codec/remote_write.h"

namespace liveops::ingest {

// Which of Prometheus' series are counters and which are gauges. Its samples do not say it; the
// first of these that does decides:
//   the settings, by the series' name;
//   the type that 2.0 sends with the series, or that 1.0's metadata said of its family
//   (https://prometheus.io/docs/instrumenting/exposition_formats/): a counter is one, and so are
//   `_bucket`, `_count` and `_sum` of a histogram or summary;
//   the name: `_total`, `_bucket`, `_count` and `_sum` end a counter's; all others are gauges.
// One thread at a time.
class PromTypes {
 public:
  struct Settings {
    std::set<std::string, std::less<>> counters;
    std::set<std::string, std::less<>> gauges;
  };
  static constexpr std::size_t kFamiliesMax = 50'000;

  // `settings` must outlive it.
  explicit PromTypes(const Settings& settings) : settings_(settings) {}

  // What metadata said of a family. What was said first stands: one sender may scrape programs that
  // do not agree. True: KindOf answers otherwise for some series than it did before.
  bool Learn(std::string_view family, PromType type);

  // Of a series of single values; `said`: the type that came with it.
  admit::SeriesKind KindOf(std::string_view metric, PromType said) const;

 private:
  PromType TypeOf(std::string_view family) const;

  const Settings& settings_;
  std::unordered_map<std::string, PromType> families_;
};

}  // namespace liveops::ingest
