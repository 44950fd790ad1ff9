#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "services/ingest/admit/batch_builder.h"

// Reports of costs and usage, as clouds write them (columns.h), as points:
//
//   metric   `cost`, observations in the bill's currency: of each series and period the sum of its
//            lines; credits and refunds are negative
//            `cost_usage`, likewise, of the amounts used; labels `usage_type`, `unit` beside
//   time     the period's end
//   labels   as the settings say
//
// Bills are made of the same periods again and again, each time more of them whole. A period is
// read when it is settled, and the log's readers take the first point of a series and time: so it
// counts once, and late corrections of it do not count.
namespace liveops::ingest::cost {

struct ReportSettings {
  std::string service = "cost";  // whose the lines are that neither the tag nor a rule names
  std::string tag = "service";   // the tag whose value is the service
  std::map<std::string, std::string> services;  // by product
  // Out of kLabelNames, or a tag: "tag:team" is the label `team`.
  std::vector<std::string> labels = {"account", "product", "region", "charge"};
  Duration settled_after{24 * 3'600'000};  // so long after its end a period's lines are all there
  Duration past{36 * 3'600'000};           // and after so long nobody judges it any more
  std::size_t batch_bytes = 400'000;       // beyond it a service's points go in several batches
};

// Why a label cannot be asked for; "" when it can.
std::string LabelFault(std::string_view label);

struct Report {
  static constexpr std::size_t kProblemsMax = 20;

  std::vector<std::unique_ptr<admit::BatchBuilder>> batches;  // of one service each
  RealTime base{};                                            // of all of them
  std::uint64_t lines = 0;                                    // without the header
  std::uint64_t taken = 0;
  std::uint64_t old = 0;        // of periods that are past
  std::uint64_t unsettled = 0;  // of periods that are to be read later
  std::uint64_t bad = 0;
  std::vector<std::string> problems;  // of bad lines: line, column, what was expected

  std::vector<admit::BatchInput> inputs() const;
  std::size_t bytes() const;  // what the batches take in memory, about
};

// `service`: in place of the settings'; "" = none. Bad lines are counted, the others are taken.
// The same text at the same time gives the same batches. kInvalid: it is no such report. Pure.
Result<Report> ReadReport(std::string_view text, const ReportSettings& settings,
                          std::string_view service, RealTime now);

// What became of a report, as JSON. `refused`: of its points, by Kafka's door.
std::string Answer(const Report& report, std::uint64_t points,
                   const std::vector<admit::Rejection>& refused);

}  // namespace liveops::ingest::cost
