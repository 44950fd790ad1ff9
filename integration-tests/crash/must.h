#pragma once

#include <gtest/gtest.h>

// Ends the test when a step of the incident did not happen.
#define MUST(expression)                                     \
  do {                                                       \
    if (Status must = (expression); !must.ok())              \
      FAIL() << #expression << ": " << must.error().message; \
  } while (false)
