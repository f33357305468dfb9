# The last 4 kB of Bochs.java's ROM: from the CPU's reset to 64 bits with AVX-512 and AMX, then the calls
# that the ROM names, then memory as hexadecimal digits to port 0xe9. Linear addresses are known: the
# section ends with the address space.
    .set ROM, 0xfff80000
    .set HERE, 0xfffff000
    .set MEMORY, 0x10000        # as Emulator.BASE: what the ROM begins with goes there
    .set TABLES, 0x1000         # two pages of them
    .set CALL, 0x8000           # the address of the call that runs
    .set CALLS_LEFT, 0x8008
    .set STACK, 0x9000

    .code16
start:
    cli
    lgdtl %cs:gdtr - start + 0xf000
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $0x08, $protected - start + HERE

    .code32
protected:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $TABLES + 0x1003, TABLES           # four pages of 1 GB, each where it is
    movl $0, TABLES + 4
    movl $0x00000083, TABLES + 0x1000
    movl $0, TABLES + 0x1004
    movl $0x40000083, TABLES + 0x1008
    movl $0, TABLES + 0x100c
    movl $0x80000083, TABLES + 0x1010
    movl $0, TABLES + 0x1014
    movl $0xc0000083, TABLES + 0x1018
    movl $0, TABLES + 0x101c
    movl $TABLES, %eax
    movl %eax, %cr3
    movl $0x40620, %eax                     # PAE, SSE, XSAVE
    movl %eax, %cr4
    movl $0xc0000080, %ecx                  # EFER.LME
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl $0x80000033, %eax                  # paging; no emulation of the FPU
    movl %eax, %cr0
    ljmpl $0x10, $long - start + HERE

    .code64
long:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $STACK, %esp
    xorl %ecx, %ecx                         # XCR0: vectors of 512 bits, tiles
    movl $0x600e7, %eax
    xorl %edx, %edx
    xsetbv
    movl $ROM, %esi
    movl $MEMORY, %edi
    movl $0xe000, %ecx
    rep movsq
    movq calls(%rip), %rax
    movq %rax, CALL
    movq calls + 8(%rip), %rax
    movq %rax, CALLS_LEFT

# A call has 0: the function, 8: ten arguments, 88: the stack; and gets 96: rax, 104: 1 if the caller's
# registers changed,
# 112: not 0 if tiles are configured still.
next:
    movq CALL, %rax
    movq 88(%rax), %rsp
    pushq 80(%rax)
    pushq 72(%rax)
    pushq 64(%rax)
    pushq 56(%rax)
    movq 8(%rax), %rdi
    movq 16(%rax), %rsi
    movq 24(%rax), %rdx
    movq 32(%rax), %rcx
    movq 40(%rax), %r8
    movq 48(%rax), %r9
    movq $0x1bad, %rbx
    movq $0x2bad, %rbp
    movq $0x3bad, %r12
    movq $0x4bad, %r13
    movq $0x5bad, %r14
    movq $0x6bad, %r15
    call *(%rax)
    movq CALL, %rcx
    movq %rax, 96(%rcx)
    movq $1, 104(%rcx)
    cmpq $0x1bad, %rbx
    jne kept
    cmpq $0x2bad, %rbp
    jne kept
    cmpq $0x3bad, %r12
    jne kept
    cmpq $0x4bad, %r13
    jne kept
    cmpq $0x5bad, %r14
    jne kept
    cmpq $0x6bad, %r15
    jne kept
    addq $32, %rsp
    cmpq 88(%rcx), %rsp
    jne kept
    movq $0, 104(%rcx)
kept:
    movq %rcx, %rsi
    movl $1, %ecx                           # the states in use
    xgetbv
    andl $0x20000, %eax                     # of tiles; Bochs 3 has that of their data the wrong way round
    movq %rax, 112(%rsi)
    addq $120, CALL
    decq CALLS_LEFT
    jnz next

    movw $0xe9, %dx
    movb $'<', %al
    outb %al, %dx
    movq memory(%rip), %rsi
    movq memory + 8(%rip), %rcx
digits:
    movb (%rsi), %bl
    movb %bl, %al
    shrb $4, %al
    call digit
    movb %bl, %al
    andb $15, %al
    call digit
    incq %rsi
    decq %rcx
    jnz digits
    movb $'>', %al
    outb %al, %dx
    movw $0x8900, %dx                       # ends the emulation
    leaq shutdown(%rip), %rsi
    movl $8, %ecx
    rep outsb
    hlt

digit:
    addb $'0', %al
    cmpb $'9', %al
    jbe decimal
    addb $'a' - '9' - 1, %al
decimal:
    outb %al, %dx
    ret

shutdown:
    .ascii "Shutdown"

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff                # 0x08: code of 32 bits
    .quad 0x00af9b000000ffff                # 0x10: code of 64 bits
    .quad 0x00cf93000000ffff                # 0x18: data
gdtr:
    .word 4 * 8 - 1
    .long gdt - start + HERE

# What Bochs.java fills in: where the calls are and how many; the memory to be printed and its size.
    .org 0xe00
calls:
    .quad 0, 0
memory:
    .quad 0, 0

    .org 0xff0
    .code16
    jmp start
    .org 0x1000
