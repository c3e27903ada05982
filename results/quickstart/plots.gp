# Written by csilink 0.1.0. To draw the plots again: gnuplot plots.gp
set encoding utf8
data = 'plots.dat'
set datafile missing 'NaN'

set style line 1 linecolor rgb '#0072b2' linewidth 2 dashtype 1 pointtype 7 pointsize 0.9
set style line 2 linecolor rgb '#d55e00' linewidth 2 dashtype 1 pointtype 5 pointsize 0.9
set style line 3 linecolor rgb '#009e73' linewidth 2 dashtype 1 pointtype 9 pointsize 0.9
set style line 4 linecolor rgb '#cc79a7' linewidth 2 dashtype 1 pointtype 13 pointsize 0.9
set style line 5 linecolor rgb '#e69f00' linewidth 2 dashtype 1 pointtype 11 pointsize 0.9
set style line 6 linecolor rgb '#56b4e9' linewidth 2 dashtype 1 pointtype 6 pointsize 0.9
set style line 7 linecolor rgb '#8c510a' linewidth 2 dashtype 1 pointtype 4 pointsize 0.9
set style line 8 linecolor rgb '#666666' linewidth 2 dashtype 1 pointtype 8 pointsize 0.9
set style line 9 linecolor rgb '#000000' linewidth 1.5 dashtype (6,5)

set title 'quickstart' font ',17' offset 0,0
set label 1 'csilink 0.1.0   scenario a1cb1fb98061bf2b   seed 1   bars: 95 % intervals' at screen 0.99,0.025 right font ',11' textcolor rgb '#777777'
set border 3 linecolor rgb '#444444' linewidth 1
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid xtics ytics linetype 1 linecolor rgb '#dddddd' linewidth 0.8
set errorbars 0.7
set bmargin 5
set rmargin -1
set key outside right top vertical Left reverse samplen 3 spacing 1.15 noautotitle
set xlabel 'pilots snr (dB)'
set xrange [-5.9:25.9]
set xtics ('-5' -5, '0' 0, '5' 5, '10' 10, '15' 15, '20' 20, '25' 25)
unset mxtics

do for [format in 'svg png'] {
  if (format eq 'svg') {
    set terminal svg noenhanced rounded size 1193,600 font 'Arial,15' linewidth 1 background '#ffffff'
  } else {
    set terminal pngcairo noenhanced rounded size 2386,1200 font 'Arial,15' fontscale 1.55 linewidth 2 pointscale 2 background '#ffffff'
  }
  set output 'nmse.'.format
  set ylabel 'NMSE (dB)'
  floor_y = -17.0537633
  set yrange [floor_y:-3.64542737]
  plot \
    data index 0 using 1:2 with linespoints linestyle 1 title 'pca, compression 4, bits 2', \
    data index 0 using 1:2:(strcol(3) eq '-inf' ? floor_y : $3):4 with yerrorbars linestyle 1 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 1 using 1:2 with linespoints linestyle 2 title 'pca, compression 4, bits 5', \
    data index 1 using 1:2:(strcol(3) eq '-inf' ? floor_y : $3):4 with yerrorbars linestyle 2 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 2 using 1:2 with linespoints linestyle 3 title 'pca, compression 16, bits 2', \
    data index 2 using 1:2:(strcol(3) eq '-inf' ? floor_y : $3):4 with yerrorbars linestyle 3 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 3 using 1:2 with linespoints linestyle 4 title 'pca, compression 16, bits 5', \
    data index 3 using 1:2:(strcol(3) eq '-inf' ? floor_y : $3):4 with yerrorbars linestyle 4 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 4 using 1:2 with linespoints linestyle 5 title 'dft_selection, compression 4, bits 2', \
    data index 4 using 1:2:(strcol(3) eq '-inf' ? floor_y : $3):4 with yerrorbars linestyle 5 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 5 using 1:2 with linespoints linestyle 6 title 'dft_selection, compression 4, bits 5', \
    data index 5 using 1:2:(strcol(3) eq '-inf' ? floor_y : $3):4 with yerrorbars linestyle 6 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 6 using 1:2 with linespoints linestyle 7 title 'dft_selection, compression 16, bits 2', \
    data index 6 using 1:2:(strcol(3) eq '-inf' ? floor_y : $3):4 with yerrorbars linestyle 7 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 7 using 1:2 with linespoints linestyle 8 title 'dft_selection, compression 16, bits 5', \
    data index 7 using 1:2:(strcol(3) eq '-inf' ? floor_y : $3):4 with yerrorbars linestyle 8 dashtype 1 linewidth 1.2 pointsize 0
  unset output
  set output 'rate.'.format
  set ylabel 'rate (bit/s/Hz)'
  floor_y = 7.49949868
  set yrange [floor_y:8.28873759]
  plot \
    data index 8 using 1:2 with linespoints linestyle 9 pointtype -1 title 'perfect CSI', \
    data index 0 using 1:5 with linespoints linestyle 1 title 'pca, compression 4, bits 2', \
    data index 0 using 1:5:(strcol(6) eq '-inf' ? floor_y : $6):7 with yerrorbars linestyle 1 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 1 using 1:5 with linespoints linestyle 2 title 'pca, compression 4, bits 5', \
    data index 1 using 1:5:(strcol(6) eq '-inf' ? floor_y : $6):7 with yerrorbars linestyle 2 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 2 using 1:5 with linespoints linestyle 3 title 'pca, compression 16, bits 2', \
    data index 2 using 1:5:(strcol(6) eq '-inf' ? floor_y : $6):7 with yerrorbars linestyle 3 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 3 using 1:5 with linespoints linestyle 4 title 'pca, compression 16, bits 5', \
    data index 3 using 1:5:(strcol(6) eq '-inf' ? floor_y : $6):7 with yerrorbars linestyle 4 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 4 using 1:5 with linespoints linestyle 5 title 'dft_selection, compression 4, bits 2', \
    data index 4 using 1:5:(strcol(6) eq '-inf' ? floor_y : $6):7 with yerrorbars linestyle 5 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 5 using 1:5 with linespoints linestyle 6 title 'dft_selection, compression 4, bits 5', \
    data index 5 using 1:5:(strcol(6) eq '-inf' ? floor_y : $6):7 with yerrorbars linestyle 6 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 6 using 1:5 with linespoints linestyle 7 title 'dft_selection, compression 16, bits 2', \
    data index 6 using 1:5:(strcol(6) eq '-inf' ? floor_y : $6):7 with yerrorbars linestyle 7 dashtype 1 linewidth 1.2 pointsize 0, \
    data index 7 using 1:5 with linespoints linestyle 8 title 'dft_selection, compression 16, bits 5', \
    data index 7 using 1:5:(strcol(6) eq '-inf' ? floor_y : $6):7 with yerrorbars linestyle 8 dashtype 1 linewidth 1.2 pointsize 0
  unset output
}
