#include "services/rule-evaluation/service/alarm_directory.h"

#include <chrono>
#include <utility>
#include <vector>

#include "services/rule-evaluation/service/alarm_table.h"

namespace liveops::evaluation {

Status AlarmDirectory::Complete(const redis::Reply& owners) const {
  std::vector<bool> seen(static_cast<std::size_t>(partitions_), false);
  for (std::size_t i = 0; i + 1 < owners.array.size(); i += 2) {
    const long p = std::strtol(owners.array[i].text.c_str(), nullptr, 10);
    if (p >= 0 && p < partitions_) seen[static_cast<std::size_t>(p)] = true;
  }
  for (std::size_t p = 0; p < seen.size(); ++p) {
    if (!seen[p]) {
      return UnavailableError("the alarm table is being rebuilt: partition " + std::to_string(p) +
                              " is not there yet");
    }
  }
  return {};
}

Result<std::map<std::string, std::string>> AlarmDirectory::Read() {
  std::vector<redis::Command> commands{{"HGETALL", kAlarmOwnersKey}};
  for (std::int32_t p = 0; p < partitions_; ++p) commands.push_back({"SMEMBERS", AlarmIndexKey(p)});
  auto replies = client_.RunAll(commands);
  if (!replies.ok()) return replies.error();
  if (Status s = Complete((*replies)[0]); !s.ok()) return s.error();
  std::vector<std::string> ids;
  for (std::size_t i = 1; i < replies->size(); ++i) {
    for (redis::Reply& member : (*replies)[i].array) ids.push_back(std::move(member.text));
  }
  std::map<std::string, std::string> out;
  constexpr std::size_t kBatch = 200;
  for (std::size_t from = 0; from < ids.size(); from += kBatch) {
    redis::Command get{"MGET"};
    const std::size_t to = std::min(ids.size(), from + kBatch);
    for (std::size_t i = from; i < to; ++i) get.push_back(AlarmKey(ids[i]));
    auto values = client_.Run(get);
    if (!values.ok()) return values.error();
    if (values->array.size() != to - from) return InternalError("MGET gave another count");
    for (std::size_t i = from; i < to; ++i) {
      redis::Reply& value = values->array[i - from];
      if (value.nil()) return ConflictError(ids[i] + " went while the table was read");
      out.emplace(std::move(ids[i]), std::move(value.text));
    }
  }
  return out;
}

Result<std::map<std::string, std::string>> AlarmDirectory::All(Duration max_age) {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = std::chrono::steady_clock::now();
  if (cached_at_ && max_age > Duration(0) && now - *cached_at_ < max_age) return cached_;
  // An alarm may be removed between the index and its value: read again rather than leave a hole.
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto all = Read();
    if (all.ok()) {
      if (max_age > Duration(0)) {
        cached_ = *all;
        cached_at_ = now;
      }
      return all;
    }
    if (all.error().code != ErrorCode::kConflict) return all.error();
  }
  return UnavailableError("the alarm table changes while it is read");
}

Result<std::string> AlarmDirectory::One(const std::string& alarm) {
  auto replies = client_.RunAll({{"HGETALL", kAlarmOwnersKey}, {"GET", AlarmKey(alarm)}});
  if (!replies.ok()) return replies.error();
  if (!(*replies)[1].nil()) return std::move((*replies)[1].text);
  if (Status s = Complete((*replies)[0]); !s.ok()) return s.error();
  return NotFoundError("no alarm \"" + alarm + "\"");
}

}  // namespace liveops::evaluation
