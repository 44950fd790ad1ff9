#pragma once

#include <string>
#include <string_view>
#include <vector>

// What a fuzz program is made of: each *_fuzz.cpp defines Seeds, Words and Run, fuzz_driver.cpp
// joins them to libFuzzer (https://llvm.org/docs/LibFuzzer.html).
namespace liveops::fuzz {

// Inputs to begin with.
std::vector<std::string> Seeds();
// What is worth writing into an input as a whole; may be empty.
std::vector<std::string> Words();
// One input. It must leave nothing behind that the next one would see.
void Run(std::string_view input);

// What must hold of every input: where it does not, the program ends and the input is kept.
void Demand(bool holds, std::string_view what);
void DemandSame(std::string_view got, std::string_view expected);

}  // namespace liveops::fuzz
