#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/hash.h"
#include "services/ingest/admit/series_table.h"

namespace liveops::admit {

// The series of a sender that spells them anew in each request (Prometheus): found again by a hash
// of the spelling, so that labels are looked at only when they are new. Each service has its
// SeriesTable. One thread at a time.
class KnownSeries {
 public:
  struct Place {
    std::uint32_t service = 0;
    std::uint32_t series = 0;  // of the service's table
  };
  using Pair = std::pair<std::string_view, std::string_view>;

  // `limits` must outlive it.
  explicit KnownSeries(const Limits& limits) : limits_(limits) { Clear(); }

  // nullptr: it is new. Holds until the next Add or Clear.
  const Place* Find(const Fingerprint& spelling) const {
    const auto found = places_.find(spelling);
    return found == places_.end() ? nullptr : &found->second;
  }
  // Keeps copies of all texts. `labels` as they came: whether they may enter is the table's matter.
  Place Add(const Fingerprint& spelling, std::string_view service, SeriesKind kind,
            std::string_view metric, std::span<const Pair> labels);

  std::size_t services() const { return services_.size(); }
  std::string_view service(std::uint32_t i) const { return services_[i].name; }
  SeriesTable& table(std::uint32_t i) { return services_[i].table; }
  // What a series takes in a record beside its points, about.
  std::size_t RecordBytes(const Place& place) const;

  std::size_t size() const { return places_.size(); }
  std::size_t bytes() const { return bytes_; }  // of memory, about
  void Clear();

 private:
  struct Service {
    Service(std::string_view its_name, const Limits& limits)
        : name(its_name), table(name, limits) {}
    const std::string_view name;
    SeriesTable table;
    std::unordered_map<std::string_view, std::uint32_t> strings;
    std::deque<std::uint32_t> record_bytes;  // by series
  };

  std::uint32_t ServiceIndex(std::string_view name);
  std::uint32_t StringIndex(Service& service, std::string_view text);
  std::string_view Keep(std::string_view text);

  const Limits& limits_;
  std::unique_ptr<std::pmr::monotonic_buffer_resource> memory_;
  std::unordered_map<Fingerprint, Place, FingerprintHash> places_;
  std::unordered_map<std::string_view, std::uint32_t> service_index_;
  std::deque<Service> services_;
  std::size_t bytes_ = 0;
};

}  // namespace liveops::admit
