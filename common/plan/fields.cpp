#include "common/plan/fields.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "common/base/text.h"

namespace liveops::plan {

Fields::Fields(const YamlNode& node, std::string what, ProblemList& problems)
    : node_(node),
      what_(std::move(what)),
      problems_(problems),
      valid_(node.kind == YamlNode::Kind::kMap) {
  if (!valid_) {
    problems_.Add(node_, fmt::format("{} is {}, expected a mapping", what_, KindName(node.kind)));
  }
}

const YamlNode* Fields::Get(std::string_view key) {
  asked_.emplace(key);
  const YamlNode* found = node_.Find(key);
  return found == nullptr || found->kind == YamlNode::Kind::kNull ? nullptr : found;
}

const YamlNode* Fields::Require(std::string_view key) {
  const YamlNode* found = Get(key);
  if (found == nullptr && valid_) {
    const YamlNode* empty = node_.Find(key);
    problems_.Add(empty != nullptr ? empty->offset : node_.offset,
                  fmt::format("{}: the key \"{}\" {}", what_, key,
                              empty != nullptr ? "has no value" : "is missing"));
  }
  return found;
}

const YamlNode* Fields::Scalar(std::string_view key, bool required) {
  const YamlNode* found = required ? Require(key) : Get(key);
  if (found == nullptr || found->kind == YamlNode::Kind::kScalar) return found;
  problems_.Add(*found,
                fmt::format("{} is {}, expected a single value", key, KindName(found->kind)));
  return nullptr;
}

std::string Fields::Text(std::string_view key) {
  const YamlNode* node = Scalar(key);
  return node == nullptr ? "" : node->scalar;
}

std::optional<std::int64_t> Fields::Whole(std::string_view key, std::int64_t least,
                                          std::int64_t most) {
  const YamlNode* node = Scalar(key);
  if (node == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const char* end = node->scalar.data() + node->scalar.size();
  const auto [stop, error] = std::from_chars(node->scalar.data(), end, value);
  if (error == std::errc() && stop == end && value >= least && value <= most) return value;
  problems_.Add(*node, fmt::format("{} is \"{}\", expected a whole number from {} to {}", key,
                                   Truncate(node->scalar, 40), least, most));
  return std::nullopt;
}

std::optional<double> Fields::PositiveNumber(std::string_view key) {
  const YamlNode* node = Scalar(key);
  if (node == nullptr) return std::nullopt;
  double value = 0;
  const char* end = node->scalar.data() + node->scalar.size();
  const auto [stop, error] = std::from_chars(node->scalar.data(), end, value);
  if (error == std::errc() && stop == end && std::isfinite(value) && value > 0) return value;
  problems_.Add(*node, fmt::format("{} is \"{}\", expected a number above 0", key,
                                   Truncate(node->scalar, 40)));
  return std::nullopt;
}

std::optional<bool> Fields::Flag(std::string_view key) {
  const YamlNode* node = Scalar(key);
  if (node == nullptr) return std::nullopt;
  if (node->scalar == "true") return true;
  if (node->scalar == "false") return false;
  problems_.Add(
      *node, fmt::format("{} is \"{}\", expected true or false", key, Truncate(node->scalar, 40)));
  return std::nullopt;
}

std::optional<Duration> Fields::Time(std::string_view key, Duration least, Duration most) {
  const YamlNode* node = Scalar(key);
  if (node == nullptr) return std::nullopt;
  return ReadTime(*node, key, least, most, problems_);
}

void Fields::Refuse(std::initializer_list<ComingKey> keys) {
  for (const ComingKey& coming : keys) {
    for (const auto& [key, value] : node_.entries) {
      if (key.scalar != coming.key) continue;
      asked_.emplace(coming.key);
      problems_.Add(key, fmt::format("\"{}\" cannot be run yet: {}", coming.key, coming.message));
    }
  }
  // Keys to come are not offered as the nearest word: they are found by Refuse or not at all.
}

void Fields::Redirect(std::initializer_list<ComingKey> keys) {
  for (const ComingKey& other : keys) {
    for (const auto& [key, value] : node_.entries) {
      if (key.scalar != other.key) continue;
      asked_.emplace(other.key);
      problems_.Add(key,
                    fmt::format("{}: unknown key \"{}\"; {}", what_, other.key, other.message));
    }
  }
}

void Fields::Finish() {
  const std::vector<std::string> known(asked_.begin(), asked_.end());
  for (const auto& [key, value] : node_.entries) {
    if (asked_.contains(key.scalar)) continue;
    problems_.Add(key, fmt::format("{}: unknown key \"{}\"{}", what_, Truncate(key.scalar, 60),
                                   Suggestion(key.scalar, known)));
  }
}

std::optional<Duration> ReadTime(const YamlNode& scalar, std::string_view what, Duration least,
                                 Duration most, ProblemList& problems) {
  if (scalar.kind != YamlNode::Kind::kScalar) {
    problems.Add(scalar, fmt::format("{} is {}, expected a length of time such as 5min", what,
                                     KindName(scalar.kind)));
    return std::nullopt;
  }
  const auto time = ParseDuration(scalar.scalar);
  if (!time.ok()) {
    problems.Add(scalar, fmt::format("{}: {}", what, time.error().message));
    return std::nullopt;
  }
  if (*time < least || *time > most) {
    problems.Add(scalar,
                 fmt::format("{} is {}, expected from {} to {}", what, FormatDuration(*time),
                             FormatDuration(least), FormatDuration(most)));
    return std::nullopt;
  }
  return *time;
}

}  // namespace liveops::plan
