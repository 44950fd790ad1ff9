#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"

namespace liveops::bench {

struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  bool lower_is_better = true;
  double limit = 0;  // what the project holds itself to; 0 = none
};

// Gathers figures; prints them as a table and writes them as JSON:
// [{"name","value","unit","better"}, …].
class Report {
 public:
  void Add(Figure figure);
  std::string Table() const;
  std::string Json() const;
  const std::vector<Figure>& figures() const { return figures_; }

 private:
  std::vector<Figure> figures_;
};

// The value below which `fraction` of the samples lie (nearest rank); sorts a copy.
double Percentile(std::vector<double> samples, double fraction);
double Median(std::vector<double> samples);

// What is being done, to standard error.
void Say(const std::string& line);

}  // namespace liveops::bench
