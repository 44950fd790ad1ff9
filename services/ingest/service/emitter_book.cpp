#include "services/ingest/service/emitter_book.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/text.h"

namespace liveops::ingest {
namespace {

// As a page of the book has them, whatever the sender calls itself.
constexpr std::size_t kNameBytes = 128;
constexpr std::size_t kProblemBytes = 300;

std::string Tidy(std::string_view text, std::size_t bytes) {
  return ScrubUtf8(Truncate(text, bytes));
}

std::int64_t SlotOf(SteadyTime now) { return now.time_since_epoch() / EmitterBook::kSlot; }

}  // namespace

const char* ProtocolWord(Protocol protocol) {
  switch (protocol) {
    case Protocol::kNative:
      return "native";
    case Protocol::kOtlp:
      return "otlp";
    case Protocol::kRemoteWrite:
      return "remote-write";
    case Protocol::kCloudWatch:
      return "cloudwatch";
    case Protocol::kCost:
      return "cost";
  }
  return "";
}

EmitterName EmitterBook::Tidied(EmitterName name) {
  name.identity = Tidy(name.identity, kNameBytes);
  name.emitter = Tidy(name.emitter, kNameBytes);
  return name;
}

void EmitterBook::Turn(Page& page, SteadyTime now) {
  const std::int64_t slot = SlotOf(now);
  if (slot == page.slot) return;
  page.before = slot == page.slot + 1 ? page.points : 0;
  page.points = 0;
  page.slot = slot;
}

void EmitterBook::MakeRoom() {
  if (pages_.size() < kMax) return;
  pages_.erase(std::min_element(pages_.begin(), pages_.end(), [](const auto& a, const auto& b) {
    return a.second.entry.heard < b.second.entry.heard;
  }));
}

EmitterBook::Done EmitterBook::Follow(EmitterName name, std::size_t bytes, SteadyTime now,
                                      Done done) {
  name = Tidied(std::move(name));
  metrics::Seconds* seconds = nullptr;
  {
    const std::lock_guard lock(mutex_);
    auto found = pages_.find(name);
    if (found == pages_.end()) {
      MakeRoom();
      found = pages_.try_emplace(name).first;
      found->second.entry.name = name;
    }
    Page& page = found->second;
    Turn(page, now);
    page.entry.heard = now;
    ++page.entry.requests;
    page.entry.bytes += bytes;
    seconds = &durations_.try_emplace(name.protocol).first->second;
  }
  return [this, name = std::move(name), now, seconds,
          done = std::move(done)](const Result<WriteAnswer>& result) {
    const auto took = std::chrono::steady_clock::now() - now;
    seconds->Observe(std::chrono::duration<double>(took).count());
    Answered(name, result);
    done(result);
  };
}

void EmitterBook::Answered(const EmitterName& name, const Result<WriteAnswer>& result) {
  const std::lock_guard lock(mutex_);
  const auto found = pages_.find(name);
  if (found == pages_.end()) return;  // forgotten meanwhile
  Page& page = found->second;
  if (!result) {
    ++page.entry.refused_requests;
    page.entry.problem = Tidy(result.error().message, kProblemBytes);
    return;
  }
  page.points += result->accepted_points;
  page.entry.accepted_points += result->accepted_points;
  for (const std::string& service : result->services) {
    if (page.entry.services.size() < EmitterEntry::kServicesMax)
      page.entry.services.insert(service);
  }
  for (const admit::Rejection& r : result->rejections) {
    admit::Rejection& sum = page.entry.rejections[r.reason];
    sum.reason = r.reason;
    sum.points += r.points;
    sum.example = Tidy(r.example, kProblemBytes);
  }
}

void EmitterBook::OverRate(const EmitterName& name) {
  const std::lock_guard lock(mutex_);
  const auto found = pages_.find(Tidied(name));
  if (found != pages_.end()) ++found->second.entry.over_rate_requests;
}

std::vector<EmitterEntry> EmitterBook::Busiest(std::size_t count) const {
  const std::lock_guard lock(mutex_);
  std::vector<const EmitterEntry*> order;
  for (const auto& [name, page] : pages_) order.push_back(&page.entry);
  if (order.size() > count) {
    std::nth_element(
        order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
        [](const EmitterEntry* a, const EmitterEntry* b) { return a->requests > b->requests; });
    order.resize(count);
    std::sort(order.begin(), order.end(),
              [](const EmitterEntry* a, const EmitterEntry* b) { return a->name < b->name; });
  }
  std::vector<EmitterEntry> out;
  for (const EmitterEntry* entry : order) out.push_back(*entry);
  return out;
}

std::size_t EmitterBook::size() const {
  const std::lock_guard lock(mutex_);
  return pages_.size();
}

std::map<std::string, metrics::Distribution> EmitterBook::Durations() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, metrics::Distribution> out;
  for (const auto& [protocol, seconds] : durations_) out[protocol] = seconds.Read();
  return out;
}

std::vector<EmitterEntry> EmitterBook::List(std::string_view service, SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  std::vector<EmitterEntry> out;
  for (const auto& [name, page] : pages_) {
    if (!service.empty() && !page.entry.services.contains(std::string(service))) continue;
    Page seen = page;
    Turn(seen, now);
    seen.entry.points_per_s =
        static_cast<double>(seen.before) * 1000 / static_cast<double>(kSlot.count());
    out.push_back(std::move(seen.entry));
  }
  return out;
}

}  // namespace liveops::ingest
