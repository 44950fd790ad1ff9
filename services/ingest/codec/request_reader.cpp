#include "services/ingest/codec/request_reader.h"

namespace liveops::ingest {

using wire::Tag;
using wire::Type;

bool RequestReader::Read(std::string_view bytes) {
  in_.ClearSource();
  in_.ClearBatch();
  wire::Reader in(bytes);
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    std::string_view message;
    if (!in.Tag(tag)) return false;
    bool read = false;
    switch (tag) {
      case Tag(1, Type::kBytes):
        read = in.Bytes(message) && in_.AddSource(message);
        break;
      case Tag(2, Type::kBytes):
        read = in.Bytes(message) && in_.AddBatch(message);
        break;
      default:
        read = in.Skip(tag, wire::kNestedMax);
        break;
    }
    if (!read) return false;
  }
  MakeInput();
  return true;
}

void RequestReader::MakeInput() {
  series_.clear();
  for (const wire::SeriesEntry& s : in_.series())
    series_.push_back({s.kind, s.metric, s.unit, s.labels});
  histograms_.clear();
  for (std::size_t i = 0; i < in_.histogram_count(); ++i) {
    const wire::HistogramPoint h = in_.histogram(i);
    histograms_.push_back(
        {h.series, h.time_delta_ms, h.duration_ms, h.count, h.sum, h.bounds, h.bucket_counts});
  }
  input_ = {in_.service(),           in_.strings(),      series_,
            in_.base_time_ms(),      in_.point_series(), in_.point_time_delta_ms(),
            in_.point_duration_ms(), in_.point_value(),  histograms_};
}

}  // namespace liveops::ingest
