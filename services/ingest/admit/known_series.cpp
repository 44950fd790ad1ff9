#include "services/ingest/admit/known_series.h"

#include <cstring>

#include "common/wire/writer.h"

namespace liveops::admit {
namespace {

// What a series, a string and a service take beside their bytes.
constexpr std::size_t kSeriesBytes = sizeof(SeriesTable::Entry) + 64;
constexpr std::size_t kStringBytes = 96;
constexpr std::size_t kServiceBytes = 1024;
constexpr std::size_t kEntryBytes = 40;  // of a series in a record, without its strings

}  // namespace

void KnownSeries::Clear() {
  places_.clear();
  service_index_.clear();
  services_.clear();
  memory_ = std::make_unique<std::pmr::monotonic_buffer_resource>(std::size_t{16} << 10);
  bytes_ = 0;
}

std::string_view KnownSeries::Keep(std::string_view text) {
  if (text.empty()) return {};
  char* const room = static_cast<char*>(memory_->allocate(text.size(), 1));
  std::memcpy(room, text.data(), text.size());
  bytes_ += text.size();
  return {room, text.size()};
}

std::uint32_t KnownSeries::ServiceIndex(std::string_view name) {
  const auto found = service_index_.find(name);
  if (found != service_index_.end()) return found->second;
  const std::string_view kept = Keep(name);
  services_.emplace_back(kept, limits_);
  bytes_ += kServiceBytes;
  const auto index = static_cast<std::uint32_t>(services_.size() - 1);
  service_index_.emplace(kept, index);
  return index;
}

std::uint32_t KnownSeries::StringIndex(Service& service, std::string_view text) {
  const auto found = service.strings.find(text);
  if (found != service.strings.end()) return found->second;
  const std::string_view kept = Keep(text);
  service.table.Add(std::span(&kept, 1), {});
  bytes_ += kStringBytes;
  const auto index = static_cast<std::uint32_t>(service.strings.size());
  service.strings.emplace(kept, index);
  return index;
}

KnownSeries::Place KnownSeries::Add(const Fingerprint& spelling, std::string_view service,
                                    SeriesKind kind, std::string_view metric,
                                    std::span<const Pair> labels) {
  const std::uint32_t index = ServiceIndex(service);
  Service& of = services_[index];
  SeriesInput input;
  input.kind = static_cast<int>(kind);
  input.metric = StringIndex(of, metric);
  input.unit = StringIndex(of, "");
  std::size_t size = 0;
  for (const auto& [name, value] : labels) {
    size +=
        wire::VarintSize(name.size()) + name.size() + wire::VarintSize(value.size()) + value.size();
  }
  if (size > 0) {
    char* const room = static_cast<char*>(memory_->allocate(size, 1));
    wire::Pen pen(room);
    for (const auto& [name, value] : labels) {
      for (const std::string_view text : {name, value}) {
        pen.Varint(text.size());
        pen.Raw(text.data(), text.size());
      }
    }
    input.labels = {room, size};
  }
  of.table.Add({}, std::span(&input, 1));
  of.record_bytes.push_back(static_cast<std::uint32_t>(kEntryBytes + size + metric.size()));
  bytes_ += kSeriesBytes + size;
  const Place place{index, static_cast<std::uint32_t>(of.table.size() - 1)};
  places_.insert_or_assign(spelling, place);
  return place;
}

std::size_t KnownSeries::RecordBytes(const Place& place) const {
  return services_[place.service].record_bytes[place.series];
}

}  // namespace liveops::admit
