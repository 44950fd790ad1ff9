#pragma once

#include <string>

#include "common/base/result.h"

namespace liveops::ctl {

// Which call failed.
struct CallSite {
  std::string service;     // "rule-evaluation"
  std::string address;     // "127.0.0.1:7402"
  std::string method;      // "ListAlarms"
  bool identified = true;  // a certificate was presented
  bool changes = false;  // the call changes something, so that a lost answer leaves its effect open
};

// A gRPC status (numeric code of https://grpc.github.io/grpc/core/md_doc_statuscodes.html) as one
// line for a person. Pure.
Error ExplainFailure(const CallSite& site, int grpc_code, const std::string& message);

}  // namespace liveops::ctl
