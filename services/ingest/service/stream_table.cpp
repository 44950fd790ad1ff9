#include "services/ingest/service/stream_table.h"

#include <vector>

#include "common/base/text.h"

namespace liveops::ingest {
namespace {

// What a series takes beside its bytes.
constexpr std::size_t kSeriesBytes = sizeof(admit::SeriesTable::Entry) + sizeof(std::string) + 16;

}  // namespace

Status StreamTable::Add(const admit::BatchInput& batch) {
  const std::string_view service = batch.service.empty() ? service_ : batch.service;
  if (Status s = core_.CheckWriter(peer_, service, batch.points()); !s) return s;
  if (Status s = Keep(batch); !s) return core_.Refuse(service, batch.points(), s.error());
  return {};
}

Status StreamTable::Keep(const admit::BatchInput& batch) {
  const admit::Limits& limits = core_.settings().limits;
  if (!table_) {
    if (Status s = admit::CheckService(batch.service, limits); !s) return s;
    service_ = batch.service;
    table_.emplace(service_, limits);
  } else if (!batch.service.empty() && batch.service != service_) {
    return InvalidError("the stream is of the service \"" + service_ +
                        "\", a request of it names \"" + ScrubUtf8(Truncate(batch.service, 128)) +
                        "\"; open one stream a service");
  }
  if (batch.strings.empty() && batch.series.empty()) return {};
  if (table_->size() + batch.series.size() > limits.series_per_stream) {
    return InvalidError("the stream has spelled " + std::to_string(table_->size()) +
                        " series and spells " + std::to_string(batch.series.size()) +
                        " more, at most " + std::to_string(limits.series_per_stream) +
                        " are allowed; open a new stream for those that are still in use");
  }
  std::size_t bytes = batch.series.size() * kSeriesBytes;
  for (const std::string_view text : batch.strings) bytes += text.size() + kSeriesBytes;
  for (const admit::SeriesInput& series : batch.series) bytes += series.labels.size();
  if (Status s = core_.RememberSeries(bytes); !s) return s;
  bytes_ += bytes;
  std::vector<std::string_view> strings;
  strings.reserve(batch.strings.size());
  for (const std::string_view text : batch.strings) strings.push_back(kept_.emplace_back(text));
  std::vector<admit::SeriesInput> series(batch.series.begin(), batch.series.end());
  for (admit::SeriesInput& s : series) s.labels = kept_.emplace_back(s.labels);
  table_->Add(strings, series);
  return {};
}

}  // namespace liveops::ingest
