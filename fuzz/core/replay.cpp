// Runs the target on files, one after the other: for compilers without libFuzzer, and for valgrind.
// With --show FILE it prints the book instead, as JSON.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "book.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// JSON has no infinities: Python's json module reads these names all the same.
void print(double value) {
  if (std::isinf(value)) {
    std::printf("%sInfinity", value < 0 ? "-" : "");
  } else {
    std::printf("%.17g", value);
  }
}

template <class T>
void print(const char* name, const std::vector<T>& values) {
  std::printf(", \"%s\": [", name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::printf("%s", i > 0 ? ", " : "");
    print(static_cast<double>(values[i]));
  }
  std::printf("]");
}

void show(const fuzz::Book& book) {
  std::printf("{\"states\": %d, \"claims\": %d, \"node_limit\": %d, ", book.states, book.claims,
              static_cast<int>(book.node_limit));
  std::printf("\"by_time\": %d, \"presolve\": %d, \"certificate\": %d, ", book.by_time,
              book.presolve, book.certificate);
  std::printf("\"tolerance\": %g, \"risk_aversion\": ", book.tolerance);
  print(book.risk_aversion);
  std::printf(", \"ambiguity\": ");
  print(book.ambiguity);
  print("prior", book.prior);
  print("inventory", book.inventory);
  print("payoffs", book.payoffs);
  print("claim", book.claim);
  print("side", book.side);
  print("price", book.price);
  print("quantity", book.quantity);
  print("time", book.time);
  print("cell", book.cell);
  std::printf("}\n");
}

}  // namespace

int main(int count, char** names) {
  const bool showing = count > 1 && std::strcmp(names[1], "--show") == 0;
  const int first = showing ? 2 : 1;
  for (int index = first; index < count; ++index) {
    std::ifstream file(names[index], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", names[index]);
      return 2;
    }
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (showing) {
      show(fuzz::Book(data, bytes.size()));
      continue;
    }
    std::fprintf(stderr, "%s\n", names[index]);  // where the process ends, the last one is at fault
    LLVMFuzzerTestOneInput(data, bytes.size());
  }
  if (!showing) {
    std::printf("%d inputs, every invariant held\n", count - first);
  }
  return 0;
}
