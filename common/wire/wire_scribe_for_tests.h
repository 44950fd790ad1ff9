#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <random>
#include <string>
#include <vector>

// For tests: ShardRecords as bytes, well-formed in every way that the wire format knows, and not.
namespace liveops::wire::testing {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  // Of every length, the ends of the ranges among them.
  std::uint64_t Number() {
    const std::uint64_t v = random_() >> Below(64);
    return OneIn(20) ? ~std::uint64_t{0} - Below(2) : v;
  }
  double Double() {
    if (OneIn(30)) return std::bit_cast<double>(random_());
    return (static_cast<double>(Below(2000)) - 500) / 8;
  }
  std::string Pick(std::initializer_list<const char*> words) {
    return std::data(words)[Below(words.size())];
  }
  template <typename T>
  void Shuffle(std::vector<T>& v) {
    std::shuffle(v.begin(), v.end(), random_);
  }

 private:
  std::mt19937_64 random_;
};

class Scribe {
 public:
  explicit Scribe(std::uint64_t seed) : chance(seed) {}

  std::string Record() {
    std::vector<std::string> fields;
    const auto times = [&] { return chance.OneIn(8) ? chance.Below(3) : 1; };
    for (std::uint64_t n = times(); n > 0; --n) fields.push_back(Bytes(1, Source()));
    for (std::uint64_t n = times(); n > 0; --n) fields.push_back(Bytes(2, Batch()));
    if (chance.OneIn(12)) fields.push_back(Bytes(3 + chance.Below(5), Other()));
    return Join(fields, chance.OneIn(4));
  }

  // A few bytes changed, cut, doubled or put in.
  std::string Damaged(std::string bytes) {
    for (std::uint64_t n = 1 + chance.Below(3); n > 0 && !bytes.empty(); --n) {
      const std::size_t at = chance.Below(bytes.size());
      switch (chance.Below(5)) {
        case 0:
          bytes.resize(at);
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << chance.Below(8)));
          break;
        case 2:
          bytes[at] = static_cast<char>(chance.Number());
          break;
        case 3:
          bytes.insert(at, bytes.substr(chance.Below(bytes.size()), chance.Below(12)));
          break;
        default:
          bytes.erase(at, 1 + chance.Below(3));
          break;
      }
    }
    return bytes;
  }

  Chance chance;

 private:
  // `least`: how many bytes it takes; more than it needs are allowed.
  static std::string Varint(std::uint64_t v, std::size_t least = 1) {
    std::string out;
    while (v >= 0x80 || out.size() + 1 < least) {
      out.push_back(static_cast<char>(v | 0x80));
      v >>= 7;
    }
    out.push_back(static_cast<char>(v));
    return out;
  }
  std::string Loose(std::uint64_t v, std::uint64_t bytes_max) {
    return Varint(v, chance.OneIn(40) ? 1 + chance.Below(bytes_max + 1) : 1);
  }
  std::string Head(std::uint64_t field, int type) {
    return Loose(field << 3 | static_cast<std::uint64_t>(type), 5);
  }
  std::string Number(std::uint64_t field, std::uint64_t v) { return Head(field, 0) + Loose(v, 10); }
  std::string Fixed(std::uint64_t field, std::uint64_t v) {
    std::string out = Head(field, 1);
    for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(v >> (8 * i)));
    return out;
  }
  std::string Bytes(std::uint64_t field, const std::string& bytes) {
    return Head(field, 2) + Loose(bytes.size(), 5) + bytes;
  }
  static std::uint64_t ZigZag(std::int64_t v) {
    return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
  }
  std::string Text() {
    if (chance.OneIn(150))
      return chance.Pick({"\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80"});
    return chance.Pick({"http_requests_total", "ms", "", "größe", "計量", "a\U0001F600b", "shop"});
  }
  std::string Unknown(int depth) {
    const std::uint64_t field = 11 + chance.Below(1000);
    switch (chance.Below(depth > 0 ? 5 : 4)) {
      case 0:
        return Number(field, chance.Number());
      case 1:
        return Fixed(field, chance.Number());
      case 2:
        return Bytes(field, "anything");
      case 3:
        return Head(field, 5) + "four";
      default: {
        std::string inside;
        for (std::uint64_t n = chance.Below(3); n > 0; --n) inside += Unknown(depth - 1);
        return Head(field, 3) + inside + Head(field, 4);
      }
    }
  }
  std::string Join(std::vector<std::string> fields, bool shuffled) {
    if (chance.OneIn(15)) fields.push_back(Unknown(3));
    if (shuffled) chance.Shuffle(fields);
    std::string out;
    for (const std::string& field : fields) out += field;
    return out;
  }

  std::string Source() {
    std::vector<std::string> fields;
    for (std::uint64_t n = 1 + chance.OneIn(10); n > 0; --n) {
      fields.push_back(Bytes(1, Text()));
      fields.push_back(Fixed(2, chance.Number()));
      fields.push_back(Number(3, chance.Number()));
    }
    fields.resize(chance.OneIn(5) ? chance.Below(fields.size()) : fields.size());
    return Join(fields, chance.OneIn(4));
  }

  std::string Series(std::uint64_t strings) {
    const std::uint64_t wrong = chance.OneIn(60) ? 1 : 0;
    std::vector<std::string> fields = {Fixed(1, chance.Number()),
                                       Fixed(2, chance.Number()),
                                       Number(3, 1 + chance.Below(6)),
                                       Number(4, chance.Below(strings + wrong)),
                                       Number(5, chance.Below(strings + wrong)),
                                       Bytes(6, chance.Pick({"", "a\xff", "labels"}))};
    if (chance.OneIn(60)) fields.push_back(Number(3, chance.Number()));
    if (chance.OneIn(60)) fields.erase(fields.begin() + static_cast<int>(chance.Below(6)));
    return Join(fields, chance.OneIn(4));
  }

  // The numbers in runs and one by one, as `one` and `packed` write them.
  template <typename T, typename One, typename Packed>
  void Column(std::uint64_t field, const std::vector<T>& numbers, One one, Packed packed,
              std::vector<std::string>& fields) {
    const bool whole = !chance.OneIn(4);
    for (std::size_t i = 0; i < numbers.size();) {
      if (!whole && chance.OneIn(3)) {
        fields.push_back(one(field, numbers[i++]));
        continue;
      }
      const std::size_t end = whole ? numbers.size() : i + 1 + chance.Below(numbers.size() - i);
      std::string run;
      for (; i < end; ++i) run += packed(numbers[i]);
      fields.push_back(Bytes(field, run));
      if (!whole && chance.OneIn(5)) fields.push_back(Bytes(field, ""));
    }
  }
  void Numbers(std::uint64_t field, const std::vector<std::uint64_t>& numbers,
               std::vector<std::string>& fields) {
    Column(
        field, numbers, [&](std::uint64_t f, std::uint64_t v) { return Number(f, v); },
        [&](std::uint64_t v) { return Loose(v, 10); }, fields);
  }
  void Doubles(std::uint64_t field, const std::vector<double>& numbers,
               std::vector<std::string>& fields) {
    Column(
        field, numbers,
        [&](std::uint64_t f, double v) { return Fixed(f, std::bit_cast<std::uint64_t>(v)); },
        [&](double v) {
          const auto bits = std::bit_cast<std::uint64_t>(v);
          std::string out;
          for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(bits >> (8 * i)));
          return out;
        },
        fields);
  }
  std::uint64_t Time() { return ZigZag(static_cast<std::int64_t>(chance.Below(100'000)) - 50'000); }
  std::uint64_t Wild(std::uint64_t usual) { return chance.OneIn(500) ? chance.Number() : usual; }

  std::string Histogram(std::uint64_t series) {
    std::vector<std::string> fields = {Number(1, Wild(chance.Below(series))),
                                       Number(2, Wild(Time())), Number(3, Wild(chance.Below(9000))),
                                       Number(4, chance.Number()),
                                       Fixed(5, std::bit_cast<std::uint64_t>(chance.Double()))};
    std::vector<double> bounds;
    for (std::uint64_t n = chance.Below(20); n > 0; --n) {
      const double last = bounds.empty() ? chance.Double() : bounds.back();
      bounds.push_back(last + (chance.OneIn(300) ? 0 : 1 + static_cast<double>(chance.Below(9))));
    }
    std::vector<std::uint64_t> counts(bounds.size() + 1);
    for (std::uint64_t& n : counts) n = chance.Number();
    if (chance.OneIn(80)) counts.push_back(0);
    Doubles(6, bounds, fields);
    Numbers(7, counts, fields);
    return Join(fields, chance.OneIn(10));
  }

  std::string Batch() {
    std::vector<std::string> fields;
    if (!chance.OneIn(30)) fields.push_back(Bytes(1, chance.Pick({"shop", "魚屋", "backend-api"})));
    if (chance.OneIn(20)) fields.push_back(Bytes(1, Text()));
    if (!chance.OneIn(5)) fields.push_back(Number(2, Wild(chance.Below(4))));
    const std::uint64_t strings = 1 + chance.Below(4);
    for (std::uint64_t n = strings; n > 0; --n) fields.push_back(Bytes(3, Text()));
    const std::uint64_t series = 1 + chance.Below(chance.OneIn(10) ? 300 : 6);
    for (std::uint64_t n = series; n > 0; --n) fields.push_back(Bytes(4, Series(strings)));
    fields.push_back(Number(5, chance.OneIn(60) ? chance.Number() : ZigZag(1'770'195'600'000)));
    const std::uint64_t points = chance.Below(chance.OneIn(4) ? 300 : 20);
    std::vector<std::uint64_t> indices(points);
    std::vector<std::uint64_t> deltas(points);
    std::vector<std::uint64_t> durations(chance.OneIn(3) ? 0 : points);
    std::vector<double> values(points);
    for (std::uint64_t& i : indices) i = Wild(chance.Below(series));
    for (std::uint64_t& t : deltas) t = Wild(chance.OneIn(3) ? Time() : 0);
    for (std::uint64_t& t : durations) t = Wild(chance.Below(500'000));
    for (double& v : values) v = chance.Double();
    if (chance.OneIn(60)) values.push_back(1);
    Numbers(6, indices, fields);
    Numbers(7, deltas, fields);
    Numbers(8, durations, fields);
    Doubles(9, values, fields);
    for (std::uint64_t n = chance.OneIn(2) ? chance.Below(4) : 0; n > 0; --n)
      fields.push_back(Bytes(10, Histogram(series)));
    return Join(fields, chance.OneIn(4));
  }

  // Of another kind; some of the shapes fit.
  std::string Other() { return Join({Bytes(1, Text()), Number(3, chance.Number())}, false); }
};

}  // namespace liveops::wire::testing
