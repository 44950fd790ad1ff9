// The hand-written reader of batches against libprotobuf: for whatever bytes, the same records are
// taken, for the same reasons the others are refused, and the same view comes out.
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "common/wire/quiet_protobuf_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/codec/batch_reader.h"
#include "services/rule-evaluation/codec/decoder.h"

namespace liveops::evaluation {
namespace {

using wire::testing::Scribe;

// --- what came out, as text ---

std::string Bits(double v) { return fmt::format("{:x}", std::bit_cast<std::uint64_t>(v)); }

template <typename Numbers>
std::string List(const Numbers& numbers) {
  std::string out = "[";
  for (const auto v : numbers) {
    if constexpr (std::is_same_v<std::decay_t<decltype(v)>, double>) {
      out += Bits(v) + " ";
    } else {
      out += fmt::format("{} ", v);
    }
  }
  return out + "]";
}

std::string Dump(const engine::RecordView& record) {
  std::string out = fmt::format("{}|{}|{}|", record.source.emitter, record.source.session,
                                record.source.sequence);
  const auto* batch = std::get_if<engine::BatchView>(&record.body);
  if (batch == nullptr) return out + fmt::format("body {}", record.body.index());
  out += fmt::format("{}|{}|{}\n", batch->service, static_cast<int>(batch->protocol),
                     batch->base_time_ms);
  for (const engine::SeriesView& s : batch->series) {
    out += fmt::format("{} {} {} {} {} {}\n", s.fingerprint.hi, s.fingerprint.lo,
                       static_cast<int>(s.kind), s.metric, s.unit, s.labels);
  }
  out += List(batch->point_series) + List(batch->point_time_delta_ms) +
         List(batch->point_duration_ms) + List(batch->point_value) + "\n";
  for (const engine::HistogramView& h : batch->histograms) {
    out += fmt::format("{} {} {} {} {} {}{}\n", h.series, h.time_delta_ms, h.duration_ms, h.count,
                       Bits(h.sum), List(h.bounds), List(h.bucket_counts));
  }
  return out;
}

// --- what libprotobuf makes of it ---

constexpr std::int64_t kTimeMax = 1'000'000'000'000'000;

bool InRange(std::int64_t ms) { return ms >= -kTimeMax && ms <= kTimeMax; }
bool InRange(std::uint64_t ms) { return ms <= std::uint64_t{kTimeMax}; }

std::string SeriesFault(const v1::MetricBatch& batch) {
  const auto strings = static_cast<std::uint32_t>(batch.strings_size());
  for (const v1::SeriesEntry& entry : batch.series()) {
    if (entry.metric() >= strings || entry.unit() >= strings) {
      return fmt::format("a series names string {} of {}", std::max(entry.metric(), entry.unit()),
                         strings);
    }
    if (entry.kind() < 1 || entry.kind() > 6)
      return fmt::format("series kind {} is not known", static_cast<int>(entry.kind()));
  }
  return "";
}

std::string HistogramFault(const v1::MetricBatch& batch) {
  for (const v1::HistogramPoint& point : batch.histograms()) {
    if (point.series() >= static_cast<std::uint32_t>(batch.series_size()))
      return "a histogram names an unknown series";
    if (point.bucket_counts_size() != point.bounds_size() + 1) {
      return fmt::format("a histogram has {} buckets for {} bounds", point.bucket_counts_size(),
                         point.bounds_size());
    }
    for (int i = 0; i < point.bounds_size(); ++i) {
      if (!std::isfinite(point.bounds(i)) || (i > 0 && point.bounds(i) <= point.bounds(i - 1)))
        return "the bounds of a histogram do not ascend";
    }
    if (!InRange(point.time_delta_ms()) || !InRange(point.duration_ms()))
      return "a histogram's time is out of range";
  }
  return "";
}

std::string BatchFault(const v1::MetricBatch& batch) {
  if (batch.service().empty()) return "no service";
  const int points = batch.point_series_size();
  const int durations = batch.point_duration_ms_size();
  if (batch.point_time_delta_ms_size() != points || batch.point_value_size() != points ||
      (durations != 0 && durations != points)) {
    return "its columns differ in length";
  }
  if (!InRange(batch.base_time_ms())) return "its base time is out of range";
  if (std::string fault = SeriesFault(batch); !fault.empty()) return fault;
  if (std::string fault = HistogramFault(batch); !fault.empty()) return fault;
  for (const std::uint32_t i : batch.point_series()) {
    if (i >= static_cast<std::uint32_t>(batch.series_size()))
      return "a point names an unknown series";
  }
  for (const std::int64_t t : batch.point_time_delta_ms()) {
    if (!InRange(t)) return "a point's time is out of range";
  }
  for (const std::uint64_t t : batch.point_duration_ms()) {
    if (!InRange(t)) return "a point's duration is out of range";
  }
  return "";
}

engine::RecordView ViewOf(const v1::ShardRecord& record, std::vector<engine::SeriesView>& series,
                          std::vector<engine::HistogramView>& histograms) {
  const v1::MetricBatch& batch = record.batch();
  const auto span = [](const auto& column) {
    return std::span(column.data(), static_cast<std::size_t>(column.size()));
  };
  for (const v1::SeriesEntry& s : batch.series()) {
    series.push_back({{s.fingerprint_hi(), s.fingerprint_lo()},
                      static_cast<engine::SeriesKind>(s.kind()),
                      batch.strings(static_cast<int>(s.metric())),
                      batch.strings(static_cast<int>(s.unit())),
                      s.labels()});
  }
  for (const v1::HistogramPoint& h : batch.histograms()) {
    histograms.push_back({h.series(), h.time_delta_ms(), h.duration_ms(), h.count(), h.sum(),
                          span(h.bounds()), span(h.bucket_counts())});
  }
  engine::BatchView view;
  view.service = batch.service();
  if (batch.protocol() == v1::PROTOCOL_OTLP) view.protocol = engine::Protocol::kOtlp;
  if (batch.protocol() == v1::PROTOCOL_REMOTE_WRITE) view.protocol = engine::Protocol::kRemoteWrite;
  view.series = series;
  view.base_time_ms = batch.base_time_ms();
  view.point_series = span(batch.point_series());
  view.point_time_delta_ms = span(batch.point_time_delta_ms());
  view.point_duration_ms = span(batch.point_duration_ms());
  view.point_value = span(batch.point_value());
  view.histograms = histograms;
  engine::RecordView out;
  out.source = {record.source().emitter(), record.source().session(), record.source().sequence()};
  out.body = view;
  return out;
}

std::string Expected(const std::string& bytes) {
  v1::ShardRecord record;
  if (!record.ParseFromString(bytes))
    return fmt::format("refused: not a ShardRecord ({} bytes)", bytes.size());
  const std::string source = fmt::format("{}|{}|{}|", record.source().emitter(),
                                         record.source().session(), record.source().sequence());
  switch (record.body_case()) {
    case v1::ShardRecord::kBatch: {
      if (const std::string fault = BatchFault(record.batch()); !fault.empty())
        return "refused: malformed metric batch: " + fault;
      std::vector<engine::SeriesView> series;
      std::vector<engine::HistogramView> histograms;
      return Dump(ViewOf(record, series, histograms));
    }
    case v1::ShardRecord::kTick:
      return source + "body 1";
    case v1::ShardRecord::kPlan:
      return source + "body 2";
    case v1::ShardRecord::kDeployment:
      if (!InRange(record.deployment().time_ms()))
        return "refused: a deployment's time is out of range";
      return source + "body 3";
    case v1::ShardRecord::kProbe:
      if (!InRange(record.probe().within_ms()))
        return "refused: a probe's time limit is out of range";
      return source + "body 4";
    case v1::ShardRecord::kReadings:
      return "refused: readings of a spread service: this build does not run one";
    case v1::ShardRecord::BODY_NOT_SET:
      break;
  }
  return "refused: a ShardRecord without a body that this build knows";
}

std::string Outcome(Decoder& decoder, const std::string& bytes) {
  const auto view = decoder.Decode(5, RealFromMs(6), bytes);
  return view.ok() ? Dump(**view) : "refused: " + view.error().message;
}

using DecoderDifferential = wire::testing::QuietProtobuf;

TEST_F(DecoderDifferential, WhateverTheBytesItSaysWhatLibprotobufSays) {
  Decoder decoder;
  std::map<std::string, int> outcomes;  // by how they begin
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Scribe scribe(seed);
    std::string bytes = scribe.Record();
    if (seed % 2 == 1) bytes = scribe.Damaged(bytes);
    const std::string expected = Expected(bytes);
    ASSERT_EQ(Outcome(decoder, bytes), expected) << "seed " << seed;
    const bool refused = expected.starts_with("refused: ");
    ++outcomes[!refused ? expected.substr(expected.find_last_of('|') + 1, 4) == "body" ? "other"
                                                                                       : "batch"
                        : expected.substr(9, expected.starts_with("refused: malformed") ? 30 : 8)];
  }
  EXPECT_GT(outcomes["batch"], 3500);
  EXPECT_GT(outcomes["other"], 100);
  EXPECT_GT(outcomes["not a Sh"], 4000);
  // Every reason of the checks came up.
  for (const char* reason : {"malformed metric batch: no ser", "malformed metric batch: its co",
                             "malformed metric batch: its ba", "malformed metric batch: a seri",
                             "malformed metric batch: series", "malformed metric batch: a hist",
                             "malformed metric batch: the bo", "malformed metric batch: a poin"}) {
    EXPECT_GT(outcomes[reason], 5) << reason;
  }
}

TEST_F(DecoderDifferential, EveryPrefixOfARecord) {
  Decoder decoder;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const std::string whole = Scribe(seed).Record();
    for (std::size_t size = 0; size <= std::min<std::size_t>(whole.size(), 2000); ++size) {
      // On its own heap block, so that a read past the end is one that a sanitizer sees.
      const std::string bytes = whole.substr(0, size);
      ASSERT_EQ(Outcome(decoder, bytes), Expected(bytes)) << seed << " cut to " << size;
    }
  }
}

// `depth` groups in each other inside `fields` messages.
std::string Nested(int depth, const std::vector<int>& fields) {
  std::string bytes;
  for (int i = 0; i < depth; ++i) bytes = "\x7b" + bytes + "\x7c";  // field 15
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    std::string size;
    for (std::size_t n = bytes.size(); true; n >>= 7) {
      size.push_back(static_cast<char>(n >= 0x80 ? n | 0x80 : n));
      if (n < 0x80) break;
    }
    bytes = static_cast<char>(*field << 3 | 2) + size + bytes;
  }
  return bytes;
}

TEST_F(DecoderDifferential, GroupsAreNestedAsDeepAsAllowedAndNoDeeper) {
  Decoder decoder;
  for (const std::vector<int>& in : {std::vector<int>{}, {1}, {2}, {2, 4}, {2, 10}}) {
    const int limit = 100 - static_cast<int>(in.size());
    const std::string refused = "refused: not a ShardRecord";
    for (int depth = limit - 1; depth <= limit + 1; ++depth) {
      const std::string bytes = Nested(depth, in);
      const std::string outcome = Outcome(decoder, bytes);
      EXPECT_EQ(outcome, Expected(bytes)) << in.size() << " messages, depth " << depth;
      EXPECT_EQ(outcome.starts_with(refused), depth > limit) << outcome;
    }
  }
}

TEST_F(DecoderDifferential, TheLastBodyCounts) {
  v1::ShardRecord batch;
  batch.mutable_batch()->set_service("shop");
  v1::ShardRecord more;
  more.mutable_batch()->set_base_time_ms(7);
  more.mutable_batch()->add_strings("x");
  v1::ShardRecord tick;
  tick.mutable_tick()->set_instance("i");
  const std::string a = batch.SerializeAsString();
  const std::string b = more.SerializeAsString();
  const std::string t = tick.SerializeAsString();
  const std::string broken = "\x1a\x02\x0a\x05";  // a tick whose name is longer than it
  Decoder decoder;
  for (const std::string& bytes : {a, a + b, b + a, a + t, t + a, a + t + b, a + t + b + a, t + t,
                                   broken + a, a + broken, a + broken + b, t + a + t}) {
    EXPECT_EQ(Outcome(decoder, bytes), Expected(bytes));
  }
  EXPECT_EQ(Outcome(decoder, a + b), "|0|0|shop|1|7\n[][][][]\n");
  EXPECT_EQ(Outcome(decoder, a + t + b), "refused: malformed metric batch: no service");
  EXPECT_EQ(Outcome(decoder, broken + a), "refused: not a ShardRecord (12 bytes)");
}

// A field that is added to the records has to be added to the reader too, or be skipped by intent.
TEST(BatchReader, KnowsEveryFieldOfItsMessages) {
  const auto fields = [](const google::protobuf::Descriptor* message) {
    std::string out;
    for (int i = 0; i < message->field_count(); ++i) {
      const auto* field = message->field(i);
      out += fmt::format("{}{}:{} ", field->number(), field->is_repeated() ? "*" : "",
                         field->type_name());
    }
    return out;
  };
  EXPECT_EQ(fields(v1::Source::descriptor()), "1:string 2:fixed64 3:uint64 ");
  EXPECT_EQ(fields(v1::SeriesEntry::descriptor()),
            "1:fixed64 2:fixed64 3:enum 4:uint32 5:uint32 6:bytes ");
  EXPECT_EQ(fields(v1::HistogramPoint::descriptor()),
            "1:uint32 2:sint64 3:uint64 4:uint64 5:double 6*:double 7*:uint64 ");
  EXPECT_EQ(fields(v1::MetricBatch::descriptor()),
            "1:string 2:enum 3*:string 4*:message 5:sint64 6*:uint32 7*:sint64 8*:uint64 "
            "9*:double 10*:message ");
  const auto* body = v1::ShardRecord::descriptor()->FindOneofByName("body");
  ASSERT_NE(body, nullptr);
  for (int i = 0; i < body->field_count(); ++i) {
    EXPECT_LE(body->field(i)->number(), static_cast<int>(BatchReader::kBodyLast));
  }
  EXPECT_EQ(v1::ShardRecord::descriptor()->FindFieldByName("source")->number(), 1);
  EXPECT_EQ(v1::ShardRecord::descriptor()->FindFieldByName("batch")->number(), 2);
}

}  // namespace
}  // namespace liveops::evaluation
