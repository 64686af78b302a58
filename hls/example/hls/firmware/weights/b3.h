//Numpy array shape [5]
//Min -1.765625000000
//Max 2.477050781250
//Number of zeros 0

#ifndef B3_H_
#define B3_H_

dense_1_bias_t b3[5] = {0.63427734375, -0.67871093750, 2.47705078125, -1.76562500000, 2.26953125000};


#endif
