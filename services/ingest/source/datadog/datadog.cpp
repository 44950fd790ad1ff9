#include "services/ingest/source/datadog/datadog.h"

#include <array>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "services/ingest/source/alert/json_reading.h"

namespace liveops::ingest::datadog {
namespace {

using source::Json;

// "host:a, zone:b" as pairs; a tag without a value has an empty one.
std::vector<std::pair<std::string, std::string>> TagsOf(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> tags;
  for (const std::string_view part : Split(text, ',')) {
    const std::string_view tag = Trim(part);
    const std::size_t colon = tag.find(':');
    if (tag.empty() || tag == "*") continue;
    tags.emplace_back(tag.substr(0, colon),
                      colon == std::string_view::npos ? "" : tag.substr(colon + 1));
  }
  return tags;
}

enum class Tells { kFires, kOver, kNothing };

Tells WhatOf(std::string_view transition) {
  static constexpr std::array<std::string_view, 7> kFires = {
      "Triggered", "Re-Triggered", "Warn", "Re-Warn", "No Data", "Re-No Data", "Renotify"};
  if (transition == "Recovered") return Tells::kOver;
  for (const std::string_view word : kFires) {
    if (transition == word) return Tells::kFires;
  }
  return Tells::kNothing;
}

}  // namespace

Result<ForeignAlerts> Read(std::string_view body) {
  const Result<Json> json = source::ReadJson(body);
  if (!json) return json.error();
  const std::string monitor = source::TextAt(*json, "alert_id");
  if (monitor.empty()) return InvalidError("the body is no mapping with an alert_id");
  const std::string transition = source::TextAt(*json, "transition");
  const Tells what = WhatOf(transition);
  if (what == Tells::kNothing) {
    return InvalidError("transition is \"" + Truncate(ScrubUtf8(transition), 40) +
                        "\", which is none of Datadog's");
  }
  ForeignAlert alert;
  alert.name = "monitor-" + monitor;
  // Only the scope tells one group of a monitor from another; of the other tags one names the
  // service.
  alert.labels = TagsOf(source::TextAt(*json, "scope"));
  for (auto& [name, value] : TagsOf(source::TextAt(*json, "tags"))) {
    if (name == "service" && alert.service.empty()) alert.service = value;
  }
  std::erase_if(alert.labels, [&](const auto& label) {
    return label.first == "service" && label.second == alert.service;
  });
  alert.severity = source::TextAt(*json, "priority");
  if (alert.severity.empty()) alert.severity = source::TextAt(*json, "type");
  alert.summary = source::TextAt(*json, "title");
  alert.description = source::TextAt(*json, "body");
  alert.link = source::TextAt(*json, "link");
  alert.over = what == Tells::kOver;
  const auto time = source::ReadUnixTime(source::TextAt(*json, "date"));
  (alert.over ? alert.ends : alert.starts) = time;
  ForeignAlerts out;
  out.alerts.push_back(std::move(alert));
  return out;
}

}  // namespace liveops::ingest::datadog
