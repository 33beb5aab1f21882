// Runs the target on files, one after the other: for compilers without libFuzzer, and for valgrind.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** names) {
  for (int index = 1; index < count; ++index) {
    std::ifstream file(names[index], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", names[index]);
      return 2;
    }
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    std::fprintf(stderr, "%s\n", names[index]);  // where the process ends, the last one is at fault
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  std::printf("%d inputs, every answer was that of a cold clearing\n", count - 1);
  return 0;
}
