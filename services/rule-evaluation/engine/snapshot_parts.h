#pragma once

#include <string_view>

#include "common/base/bytes.h"
#include "services/rule-evaluation/engine/state.h"

// How the parts of a shard's state are encoded; for snapshot*.cpp alone. Every Read… is false when
// the bytes are not what its Write… made. What a plan says is not written but read again from the
// plan's text; what is derived is made anew.
namespace liveops::engine {

// A service with its plan's text, its rules and all that they keep. It reads the series that its
// members name, which must be there.
void WriteService(const Service& service, ByteWriter& out);
bool ReadService(State& s, ByteReader& in);

// What the series of a test said; read into cells that were made for the test.
void WriteCells(const Rule& rule, const Cells& cells, ByteWriter& out);
bool ReadCells(State& s, Rule& rule, Cells& cells, ByteReader& in);

// The same in parts. A member without its series' number, which may be another one elsewhere; it is
// read as the last one of the cells, and is not indexed.
void WriteObserved(const Cells& cells, ByteWriter& out);
bool ReadObserved(Cells& cells, ByteReader& in);
void WriteMember(const Rule& rule, const Cells& cells, std::size_t column, ByteWriter& out);
bool ReadMember(const Rule& rule, Cells& cells, std::uint32_t series, ByteReader& in);

// What was last found of a group, and how the slots of a quorum came out.
void WriteFindings(const Group& group, ByteWriter& out);
bool ReadFindings(const Rule& rule, Group& group, ByteReader& in);

// In which role a shard keeps a rule, and what belongs to it. Before the rule is added.
void WriteRole(const Rule& rule, ByteWriter& out);
bool ReadRole(Rule& rule, ByteReader& in);

// What others told of a service.
void WriteForeign(const ForeignAlerts& alerts, ByteWriter& out);
bool ReadForeign(ForeignAlerts& alerts, ByteReader& in);

// What a rule has no room for.
void WriteOverflow(const Rule& rule, ByteWriter& out);
bool ReadOverflow(State& s, Rule& rule, ByteReader& in);

// How far it has told what its windows hold, and what it was told of the time before the records.
void WriteRolls(const Rule& rule, ByteWriter& out);
bool ReadRolls(Rule& rule, ByteReader& in);

void WriteJudgement(const Judgement& j, ByteWriter& out);
bool ReadJudgement(Judgement& j, ByteReader& in);

// A transition in full: an alarm that no plan knows any more is told as it was.
void WriteTransition(const Transition& t, ByteWriter& out);
bool ReadTransition(Transition& t, ByteReader& in);

}  // namespace liveops::engine
