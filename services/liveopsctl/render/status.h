#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "liveops/v1/status.pb.h"
#include "services/liveopsctl/render/text.h"

// The state of the services as text. Pure.
namespace liveops::ctl {

// What one service said, or why it said nothing.
struct ServiceReport {
  std::string service;  // "rule-evaluation"
  std::string address;  // "" = not configured
  bool answered = false;
  std::string error;             // when it did not answer
  v1::GetStatusResponse status;  // when it did

  bool ready() const { return answered && status.ready(); }
};

// Records that are written but not read yet, over all partitions it reads.
std::int64_t Lag(const v1::GetStatusResponse& status);

std::string RenderStatus(const std::vector<ServiceReport>& reports, bool partitions,
                         const Style& style);

// {"ready":…,"services":[{"service","address","answered","ready","lag","error","status":{GetStatusResponse}},…]}
std::string StatusJson(const std::vector<ServiceReport>& reports);

}  // namespace liveops::ctl
