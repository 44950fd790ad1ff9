#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace liveops::ingest {

// What one tick tells its partition.
struct Refusals {
  std::map<std::string, std::uint64_t> points;  // by service
  bool all = false;                             // of more services than can be named

  bool empty() const { return points.empty() && !all; }
};

// Points refused, for whatever reason, until a tick has told them: after a refusal the engine takes
// no silence for absence. Who sends thousands of service names makes it neither grow nor forget:
// beyond kNamesMax in a partition all of that partition's services count as refused. Thread-safe.
class RefusalLedger {
 public:
  static constexpr std::size_t kNamesMax = 250;  // with names of 128 bytes a tick of 37 KB

  explicit RefusalLedger(std::int32_t partitions);

  // Told in each of the `spread` partitions that the service lies on: whose point it was is not
  // known, and the silence of a series is no proof in any of them.
  void Add(std::string_view service, std::uint64_t points, int spread = 1);
  Refusals Take(std::int32_t partition);
  void GiveBack(std::int32_t partition, const Refusals& told);  // their tick was lost

 private:
  static void Add(Refusals& to, std::string_view service, std::uint64_t points);

  std::mutex mutex_;
  std::vector<Refusals> partitions_;
};

}  // namespace liveops::ingest
