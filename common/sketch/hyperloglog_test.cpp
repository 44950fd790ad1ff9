#include "common/sketch/hyperloglog.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "common/base/hash.h"

namespace liveops::sketch {
namespace {

std::uint64_t HashOf(int i) { return Xxh64("user-" + std::to_string(i)); }

HyperLogLog Of(int first, int last) {
  HyperLogLog out;
  for (int i = first; i <= last; ++i) out.Add(HashOf(i));
  return out;
}

TEST(HyperLogLog, IsExactWhileThereAreFew) {
  HyperLogLog log;
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(log.Count(), 0);
  for (int i = 1; i <= 256; ++i) {
    for (int times = 0; times < 3; ++times) log.Add(HashOf(i));
    ASSERT_EQ(log.Count(), i);
  }
  EXPECT_TRUE(log.exact());
  log.Add(HashOf(257));
  EXPECT_FALSE(log.exact());
  EXPECT_NEAR(log.Count(), 257, 257 * 3 * HyperLogLog::kStandardError);
}

// The root of the mean square of the relative error over many sets is what is stated.
TEST(HyperLogLog, StandardErrorIsWhatIsStated) {
  for (const int size : {300, 1000, 4096, 10'000, 60'000}) {
    constexpr int kSets = 60;
    double squares = 0;
    double sum = 0;
    for (int set = 0; set < kSets; ++set) {
      const double off = Of(set * 1'000'000, set * 1'000'000 + size - 1).Count() / size - 1;
      squares += off * off;
      sum += off;
    }
    const double deviation = std::sqrt(squares / kSets);
    EXPECT_LT(deviation, 1.3 * HyperLogLog::kStandardError) << size;
    if (size > 4096) {
      EXPECT_GT(deviation, 0.7 * HyperLogLog::kStandardError) << size;
    }
    EXPECT_LT(std::abs(sum / kSets), 3 * HyperLogLog::kStandardError / std::sqrt(kSets)) << size;
  }
}

TEST(HyperLogLog, MergedIsWhatItWouldBeOfBothInAnyOrder) {
  for (const auto& [a, b] :
       {std::pair{Of(1, 100), Of(51, 150)}, std::pair{Of(1, 200), Of(150, 400)},
        std::pair{Of(1, 5000), Of(1, 10)}, std::pair{Of(1, 10), Of(1, 5000)},
        std::pair{Of(1, 5000), Of(3000, 9000)}}) {
    HyperLogLog ab = a;
    ab.Merge(b);
    HyperLogLog ba = b;
    ba.Merge(a);
    EXPECT_EQ(ab, ba);
  }
  HyperLogLog merged = Of(1, 3000);
  merged.Merge(Of(3001, 9000));
  EXPECT_EQ(merged, Of(1, 9000));
}

TEST(HyperLogLog, GrowsWithWhatIsAdded) {
  HyperLogLog log = Of(1, 257);
  double before = log.Count();
  for (int i = 258; i <= 20'000; ++i) {
    log.Add(HashOf(i));
    if (i % 16 != 0) continue;
    ASSERT_GE(log.Count(), before) << i;
    before = log.Count();
  }
}

TEST(HyperLogLog, BytesReadBackAndOthersAreRefused) {
  for (const HyperLogLog& log : {HyperLogLog(), Of(1, 7), Of(1, 256), Of(1, 5000)}) {
    ByteWriter out;
    log.Write(out);
    ByteReader in(out.bytes());
    HyperLogLog read = Of(9000, 9001);
    ASSERT_TRUE(read.Read(in));
    EXPECT_TRUE(in.AtEnd());
    EXPECT_EQ(read, log);
    if (out.size() < 3) continue;
    ByteReader cut(std::string_view(out.bytes()).substr(0, out.size() - 1));
    EXPECT_FALSE(read.Read(cut));
  }
  ByteWriter twice;
  twice.Bool(true);
  twice.Varint(2);
  twice.Fixed64(5);
  twice.Fixed64(5);
  ByteReader in(twice.bytes());
  EXPECT_FALSE(HyperLogLog().Read(in));
  ByteWriter high;
  high.Bool(false);
  high.String(std::string(HyperLogLog::kRegisters, 54));
  ByteReader registers(high.bytes());
  EXPECT_FALSE(HyperLogLog().Read(registers));
}

}  // namespace
}  // namespace liveops::sketch
