#include "common/client/speller.h"

namespace liveops::client {

std::uint32_t SeriesBook::IdOf(const Series& series) {
  const auto [at, fresh] =
      ids_.try_emplace({series.metric, series.unit, series.kind, Labels(series.labels).Encode()},
                       static_cast<std::uint32_t>(entries_.size()));
  if (fresh) entries_.push_back(&at->first);
  return at->second;
}

std::uint32_t Speller::String(const std::string& text, v1::MetricBatch& out) {
  const auto [at, fresh] = strings_.try_emplace(text, static_cast<std::uint32_t>(strings_.size()));
  if (fresh) out.add_strings(text);
  return at->second;
}

void Speller::Spell(const Batch& batch, const SeriesBook& book, v1::MetricBatch& out) {
  index_.resize(book.size(), kNone);
  const std::int64_t base = batch.points.empty() ? 0 : batch.points.front().time_ms;
  bool covered = false;
  out.set_base_time_ms(base);
  for (const Point& point : batch.points) {
    std::uint32_t& index = index_[point.series];
    if (index == kNone) {
      index = spelled_++;
      const SeriesBook::Entry& entry = book.At(point.series);
      v1::SeriesEntry& spelled = *out.add_series();
      spelled.set_kind(static_cast<v1::SeriesKind>(entry.kind));
      spelled.set_metric(String(entry.metric, out));
      spelled.set_unit(String(entry.unit, out));
      spelled.set_labels(entry.labels);
    }
    out.add_point_series(index);
    out.add_point_time_delta_ms(point.time_ms - base);
    out.add_point_duration_ms(point.covered_ms);
    out.add_point_value(point.value);
    covered |= point.covered_ms != 0;
  }
  if (!covered) out.clear_point_duration_ms();
}

}  // namespace liveops::client
