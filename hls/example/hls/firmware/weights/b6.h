//Numpy array shape [1]
//Min -0.468750000000
//Max -0.468750000000
//Number of zeros 0

#ifndef B6_H_
#define B6_H_

logits_bias_t b6[1] = {-0.46875};


#endif
