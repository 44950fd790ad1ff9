#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "services/ingest/source/cloudwatch_stream/datum.h"

// Which series CloudWatch's metrics become, and whose. Pure.
namespace liveops::ingest::cloudwatch {

// What of a set of statistics a series has.
enum class Statistic : std::uint8_t {
  kSum,           // counter: the period's sum
  kCount,         // counter: how many samples the period has
  kPerSecond,     // counter: the average, which is per second, times the period
  kAvg,           // gauge
  kMin,           // gauge
  kMax,           // gauge
  kDistribution,  // histogram: between min, the percentiles that are streamed, and max; without
                  // percentiles none
};

struct Output {
  std::string metric;
  Statistic statistic = Statistic::kSum;
  double factor = 1;  // of the values, not of counts
  std::string unit;   // UCUM; "" = not declared
};

// By "NAMESPACE/METRIC{DIMENSION,…}", the dimensions in order of their names, or without braces for
// whatever dimensions. CloudWatch tells many metrics several times, once for each set of dimensions
// that it sums by: of these one alone is to be taken.
class Mapping {
 public:
  // As shipped: default_mapping.cpp.
  static Mapping Default();

  // In place of what the key had. `outputs`: "NAME = STATISTIC [* FACTOR] [in UNIT]; …", or "drop".
  // kInvalid says what is wrong.
  Status Set(std::string_view key, std::string_view outputs);
  // nullptr: nothing is said of such a metric. Empty: it is dropped, or taken by other dimensions.
  const std::vector<Output>* Find(const Datum& datum) const;
  std::size_t size() const { return outputs_.size(); }

 private:
  std::map<std::string, std::vector<Output>, std::less<>> outputs_;
};

// Whose a datum is: the longest rule that fits one of its dimensions; else of ECS the dimension
// ServiceName; else nobody's.
class ServiceRules {
 public:
  // `rule`: "DIMENSION=VALUE", or "DIMENSION=BEGINNING*". kInvalid says what is wrong.
  Status Set(std::string_view rule, std::string_view service);
  std::string Of(const Datum& datum) const;  // "" = nobody's

 private:
  struct Rule {
    std::string dimension;
    std::string value;
    bool beginning = false;
    std::string service;
  };
  std::vector<Rule> rules_;
};

}  // namespace liveops::ingest::cloudwatch
