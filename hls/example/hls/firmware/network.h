#ifndef NETWORK_H_
#define NETWORK_H_

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"

#include "defines.h"


// Prototype of top level function for C-synthesis
void network(
    features_t features[13],
    result_t layer6_out[1]
);

// hls-fpga-machine-learning insert emulator-defines


#endif
