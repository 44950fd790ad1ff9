#pragma once

#include <string>

#include "services/liveopsctl/app.h"

namespace liveops::ctl {

// One line on the error stream that is written over; on a terminal only. Gone with its end.
class ProgressLine {
 public:
  explicit ProgressLine(World& world) : world_(world) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { Clear(); }
  void Show(const std::string& what, double part);
  void Clear();

 private:
  World& world_;
  int shown_ = -1;
};

}  // namespace liveops::ctl
