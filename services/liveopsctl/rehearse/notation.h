#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/labels.h"

// How a test writes series, in the notation of Prometheus' unit tests for rules
// (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/), which operators
// know: `name{label="value"}`, and values as `a+bxn`, `a-bxn`, `axn`, `_`, `_xn`. Pure.
namespace liveops::rehearse {

struct Selector {
  std::string metric;
  Labels labels;
};

// What is wrong with a text, and at which byte of it.
struct Fault {
  std::size_t at = 0;
  std::string message;
};

// `http_request_count{zone="a", code=500}`; a value with other characters than letters, digits and
// `_ - . / :` is quoted, with `\"` and `\\` inside.
std::optional<Selector> ReadSelector(std::string_view text, Fault& fault);

// What a series says at one moment.
struct Sample {
  bool missing = false;
  double number = 0;  // not of a histogram
  // Of a histogram: one count for each bound, then that above the last one.
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;

  // Of the values, each taken at its upper bound, those above the last bound at that one.
  double Sum() const;
};

// Samples that follow each other at equal distances. Kept as written: its size is the text's.
class Sequence {
 public:
  struct Run {
    bool missing = false;
    double start = 0;
    double step = 0;
    std::vector<double> bounds;
    std::vector<std::int64_t> counts;
    std::vector<std::int64_t> counts_step;  // empty = none
    std::uint64_t samples = 1;
  };

  explicit Sequence(std::vector<Run> runs = {}) : runs_(std::move(runs)) {}
  std::uint64_t size() const;
  bool histograms() const;
  bool numbers() const;
  // The least number or count of any of its samples; 0 when it has none.
  double Least() const;

  // Walks over a sequence, which must outlive it.
  class Reader {
   public:
    explicit Reader(const Sequence& sequence) : runs_(sequence.runs_) {}
    // False past the end.
    bool Next(Sample& sample);

   private:
    const std::vector<Run>& runs_;
    std::size_t run_ = 0;
    std::uint64_t index_ = 0;
  };

 private:
  std::vector<Run> runs_;
};

// `0x30 8x30`, `10+2x50`, `1 _x3 7`, `{100:5,200:10,inf:1}x20`, `{100:5}+{100:5}x20`; items are set
// apart by blanks. As in Prometheus, `axn` are n + 1 samples and `_xn` are n missing ones.
std::optional<Sequence> ReadSequence(std::string_view text, Fault& fault);

}  // namespace liveops::rehearse
