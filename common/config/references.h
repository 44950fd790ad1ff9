#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

// `${env:NAME}` and `${file:path}` inside values. No message contains a value.
namespace liveops::config {

// At most 1 MiB. kNotFound: no such file. kInvalid: it cannot be read, or is larger.
Result<std::string> ReadFile(const std::string& path);

// What is wrong with a reference as it stands in the value, of several alike with the
// `occurrence`-th (from 0).
using ReferenceProblem =
    std::function<void(std::string_view reference, std::size_t occurrence, std::string message)>;

// The value with what its references stand for; relative paths count from `folder`. Nothing when
// one stands for nothing: each was told.
std::optional<std::string> Expand(const std::string& value, const std::string& folder,
                                  const ReferenceProblem& problem);

}  // namespace liveops::config
