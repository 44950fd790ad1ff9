#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "services/ingest/admit/batch_builder.h"
#include "services/ingest/source/cloudwatch_stream/mapping.h"

namespace liveops::ingest::cloudwatch {

struct TranslatorSettings {
  Mapping mapping = Mapping::Default();
  ServiceRules services;
  std::string service = "cloudwatch";  // whose the data of nobody else are
  std::size_t batch_bytes = 400'000;   // beyond it a service's points go in several batches
};

// What a delivery holds: batches of one service each, all of one base time, and what is none.
struct Translated {
  std::vector<std::unique_ptr<admit::BatchBuilder>> batches;
  RealTime base{};
  std::vector<admit::Rejection> rejections;
  std::uint64_t datums = 0;              // that were read
  std::uint64_t unmapped = 0;            // of these: no line of the mapping is of their metric
  std::uint64_t dropped = 0;             // or it says so, or takes the metric by other dimensions
  std::set<std::string> unmapped_names;  // "NAMESPACE/METRIC{DIMENSION,…}", the first kNamesMax

  static constexpr std::size_t kNamesMax = 100;
  std::vector<admit::BatchInput> inputs() const;
};

// Datums as points: labels are the dimensions, `account`, `region` and `namespace`; the time is the
// end of the period, and counters and distributions cover it whole. The same records give the same
// batches. Pure.
class Translator {
 public:
  // `settings` must outlive it. `service`: in place of the settings', of this delivery; "" = none.
  Translator(const TranslatorSettings& settings, std::string service);

  // The data of one record, decoded.
  void Add(std::string_view record);
  Translated Take() { return std::move(out_); }

 private:
  struct Open {
    admit::BatchBuilder* batch = nullptr;
    std::map<std::string, std::uint32_t> series;
  };

  void Take(const Datum& datum);
  void Write(const Datum& datum, const Output& output, const Labels& labels, Open& open);

  const TranslatorSettings& settings_;
  const std::string service_;
  Translated out_;
  std::map<std::string, Open> open_;  // by service
  bool based_ = false;
};

}  // namespace liveops::ingest::cloudwatch
