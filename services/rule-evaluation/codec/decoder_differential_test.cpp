// The hand-written reader of batches against libprotobuf: for whatever bytes, the same records are
// taken, for the same reasons the others are refused, and the same view comes out.
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "common/wire/quiet_protobuf_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/codec/batch_reader.h"
#include "services/rule-evaluation/codec/decoder.h"
#include "services/rule-evaluation/codec/decoder_reference_for_tests.h"

namespace liveops::evaluation {
namespace {

using testing::Expected;
using testing::Outcome;
using wire::testing::Scribe;

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
