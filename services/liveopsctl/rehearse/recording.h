#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/labels.h"
#include "common/base/time.h"
#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/record.h"

// A recorded incident: lines of JSON, read one by one (docs/rehearsing-plans.md). Pure.
//   {"recording": 1, "about": "…", "made_by": "…", "service": "shop"}      the first line
//   {"at": "2026-03-01T10:00:05Z", "covers_ms": 15000, "points": [{"metric": "m", "kind": "gauge",
//    "unit": "%", "labels": {"zone": "a"}, "value": 41}, {"metric": "h", "kind": "histogram",
//    "bounds": [100, 250], "counts": [7, 2, 0], "sum": 611}]}
//   {"mark": "fault begins", "at": 1772359500000}
// Series that come in every batch may be named once, in the first line: `"series": [{"metric": "m",
// "kind": "gauge"}, {"metric": "h", "kind": "histogram", "bounds": [100, 250]}]`; a batch then has
// `"values": [41, [7, 2, 0]]`, null where one has nothing to say. `covers_ms` may stand there too.
namespace liveops::rehearse {

struct RecordedPoint {
  engine::SeriesKind kind = engine::SeriesKind::kGauge;
  std::string metric;
  std::string unit;
  Labels labels;
  Duration covers{0};  // 0 = not known
  double value = 0;    // not of a histogram
  double sum = 0;      // of a histogram, as its bounds and counts
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;

  bool histogram() const {
    return kind == engine::SeriesKind::kHistogramDelta ||
           kind == engine::SeriesKind::kHistogramCumulative;
  }
};

struct RecordingHeader {
  std::string about;
  std::string made_by;
  std::string service;                // of batches that name none
  Duration covers{0};                 // of batches that say nothing
  std::vector<RecordedPoint> series;  // those of `values`, without what a batch says
};

struct RecordedBatch {
  Instant at{};
  std::string service;
  std::vector<RecordedPoint> points;
};

// Something that whoever made the recording knows: "fault begins".
struct Mark {
  Instant at{};
  std::string text;
};

using RecordedLine = std::variant<std::monostate, RecordingHeader, RecordedBatch, Mark>;

class RecordingReader {
 public:
  // The next line of the file, without its end; an empty one gives std::monostate. On a problem
  // `line` is not touched, and nothing more is to be read.
  std::optional<plan::Problem> Read(std::string_view text, RecordedLine& line);
  // What is wrong with a file that ends here.
  std::optional<plan::Problem> End() const;

 private:
  int number_ = 0;
  std::optional<RecordingHeader> header_;
  std::optional<Instant> last_;  // of the last batch
};

}  // namespace liveops::rehearse
