#pragma once

#include <string>

#include "common/base/result.h"
#include "common/runtime/process.h"
#include "services/remediation/action/kubectl/kubectl.h"
#include "services/remediation/policy/guardrails.h"

namespace liveops::remediation {

struct AppConfig {
  runtime::CommonConfig common;
  KubectlConfig kubectl;  // kubectl.path, kubectl.kubeconfig, kubectl.namespace, kubectl.timeout
  Guardrails guardrails;  // guardrails.cooldown, guardrails.actions_per_hour
};

// kInvalid: one problem a line.
Result<AppConfig> ReadConfig(const std::string& path);

// Runs until `stop`. An error is why it could not start.
Status Run(const AppConfig& config, runtime::StopSignal& stop);

}  // namespace liveops::remediation
